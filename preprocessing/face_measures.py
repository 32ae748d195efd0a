"""What is measured of a detected face besides its box: how sharp it is and where it looks.

**Pose.** The five landmarks are taken for the parallel projection of a rigid head, scaled (weak perspective; D. F.
DeMenthon and L. S. Davis, "Model-based object pose in 25 lines of code", IJCV 15, 1995, the step POS). The head's
five points stand in `HEAD_MILLIMETRES`; the affine camera that fits them best in the least-squares sense is replaced
by the nearest scaled rotation. Nobody's head is that head: a long nose or a wide mouth moves pitch and yaw by
some degrees, and MTCNN's landmarks of a profile are a guess.

Angles are in degrees as the viewer sees the picture: yaw is positive where the face is turned to the viewer's right,
pitch where it looks up, roll where the head is tilted clockwise. The head is rotated by yaw first, then pitch,
then roll.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.face_crop import crop_face
from preprocessing.face_detection import FaceDetection

# Eyes, nose tip and corners of the mouth of an average adult's upright head that faces the viewer: x to the right, y
# down, z away from the viewer. Eyes are 63 mm apart, the nose stands out 30 mm.
HEAD_MILLIMETRES = np.array([[-31.5, 0, 0], [31.5, 0, 0], [0, 42, -30], [-26, 72.5, 0], [26, 72.5, 0]])
_CENTRED_HEAD = HEAD_MILLIMETRES - HEAD_MILLIMETRES.mean(axis=0)
_FIT_CAMERA = np.linalg.pinv(_CENTRED_HEAD)
_SHARPNESS_SIDE_PIXELS = 64


@dataclass(frozen=True, kw_only=True)
class MeasuredFace:
    """A detected face and what is measured of it.

    sharpness: variance of the Laplacian of the grey face, 64 pixels wide; see `sharpness`.
    yaw_degrees, pitch_degrees, roll_degrees: see the module's docstring.
    """

    detection: FaceDetection
    sharpness: float
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float


def measure_face(image: np.ndarray, detection: FaceDetection) -> MeasuredFace:
    """Measure one face of an image, RGB uint8 (height, width, 3)."""
    yaw, pitch, roll = head_pose(detection.landmarks)
    return MeasuredFace(
        detection=detection,
        sharpness=sharpness(image, detection),
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
    )


def sharpness(image: np.ndarray, detection: FaceDetection) -> float:
    """Variance of the Laplacian of the face's square, grey, brought to 64 pixels.

    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. The fixed size makes
    faces of different sizes comparable, and lets one that is smaller than that count as blurred.
    """
    crop = crop_face(image, detection, margin=0.0, side_pixels=_SHARPNESS_SIDE_PIXELS)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def head_pose(landmarks: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of five landmarks (5, 2); the geometry stands in the module's docstring."""
    points = np.asarray(landmarks, dtype=np.float64)
    camera = (_FIT_CAMERA @ (points - points.mean(axis=0))).T
    left, _, right = np.linalg.svd(camera, full_matrices=False)
    first, second = left @ right
    third = np.cross(first, second)
    yaw = np.arctan2(-third[0], third[2])
    pitch = np.arcsin(np.clip(third[1], -1, 1))
    roll = np.arctan2(-first[1], second[1])
    # a positive rotation about y turns the nose to the viewer's left, one about x turns it down
    return float(np.degrees(-yaw)), float(np.degrees(-pitch)), float(np.degrees(roll))
