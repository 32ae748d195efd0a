import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.face_detection import FaceDetection
from preprocessing.face_measures import HEAD_MILLIMETRES, head_pose, measure_face, sharpness


def project(yaw, pitch, roll, scale=1.0, shift=(0.0, 0.0)):
    """Landmarks of the model head, turned by angles in degrees as the viewer sees them."""
    yaw, pitch, roll = np.radians([-yaw, -pitch, roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return scale * (HEAD_MILLIMETRES @ (tilt @ nod @ turn).T)[:, :2] + shift


angles = st.floats(-60, 60)


@given(angles, angles, angles, st.floats(0.05, 20), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_the_pose_of_the_model_head_is_found_exactly(yaw, pitch, roll, scale, shift):
    assert head_pose(project(yaw, pitch, roll, scale, shift)) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_signs_are_those_that_the_viewer_sees():
    frontal = HEAD_MILLIMETRES[:, :2]
    assert head_pose(frontal) == pytest.approx((0, 0, 0), abs=1e-9)
    nose_right, nose_up = frontal.copy(), frontal.copy()
    nose_right[2, 0] += 8
    nose_up[2, 1] -= 8
    assert head_pose(nose_right)[0] > 10
    assert head_pose(nose_up)[1] > 5
    left_eye_higher = project(0, 0, 20)
    assert left_eye_higher[0, 1] < left_eye_higher[1, 1]


def test_landmarks_that_are_all_one_have_a_pose_without_meaning():
    assert np.isfinite(head_pose(np.full((5, 2), 7.0))).all()


def face(left, top, right, bottom):
    return FaceDetection(
        box=(left, top, right, bottom), landmarks=np.zeros((5, 2), np.float32), probability=1.0
    )


def test_sharpness_by_hand():
    # columns of 0, 100, 0, 100: the Laplacian of each pixel is +200 or -200, its variance 40,000
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, 1::2] = 100
    assert sharpness(stripes, face(0, 0, 64, 64)) == pytest.approx(40_000)
    assert sharpness(np.full((64, 64, 3), 77, np.uint8), face(0, 0, 64, 64)) == 0


def test_blur_lowers_sharpness_and_size_alone_does_not_raise_it(portraits):
    pixels, box = portraits[0]
    blurred = cv2.GaussianBlur(pixels, (0, 0), 4)
    double = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    usual = sharpness(pixels, face(*box))
    assert sharpness(blurred, face(*box)) < 0.3 * usual
    assert sharpness(double, face(*(2 * edge for edge in box))) == pytest.approx(usual, rel=0.3)


def test_a_face_is_measured_whole():
    detection = FaceDetection(
        box=(10, 10, 74, 74), landmarks=project(20, -5, 3, 0.4, (42, 30)), probability=0.9
    )
    measured = measure_face(np.zeros((80, 80, 3), np.uint8), detection)
    assert measured.detection is detection
    assert (measured.yaw_degrees, measured.pitch_degrees, measured.roll_degrees) == pytest.approx((20, -5, 3))
    assert measured.sharpness == 0
