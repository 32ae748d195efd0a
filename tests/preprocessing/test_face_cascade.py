from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from preprocessing.face_cascade import MtcnnDetector, pyramid_scales
from preprocessing.face_settings import FaceSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector(FaceSettings(), CPU)


def published_faces(image, smallest_face_pixels):
    boxes, probabilities, landmarks = MTCNN(keep_all=True, min_face_size=smallest_face_pixels).detect(
        image, landmarks=True
    )
    order = np.argsort(-probabilities.astype(float), kind="stable")
    return boxes.astype(float)[order], probabilities.astype(float)[order], landmarks.astype(float)[order]


def test_boxes_are_those_of_the_published_detector(portraits, crowd):
    images = [crowd[0], cv2.resize(portraits[1][0], (100, 150))]
    detector = MtcnnDetector(FaceSettings(smallest_face_share=0.0), CPU)
    for image, faces in zip(images, detector.detect(images), strict=True):
        boxes, probabilities, landmarks = published_faces(image, 20)
        assert len(faces) == len(boxes)
        np.testing.assert_allclose([face.box for face in faces], boxes, atol=0.01)
        np.testing.assert_allclose([face.probability for face in faces], probabilities, atol=1e-4)
        np.testing.assert_allclose([face.landmarks for face in faces], landmarks, atol=0.01)


def test_every_portrait_is_found_near_its_true_box(detector, portraits):
    for faces, (_, truth) in zip(
        detector.detect([pixels for pixels, _ in portraits]), portraits, strict=True
    ):
        assert faces[0].probability > 0.9
        side = truth[2] - truth[0]
        assert faces[0].centre[0] == pytest.approx((truth[0] + truth[2]) / 2, abs=0.2 * side)
        assert faces[0].centre[1] == pytest.approx((truth[1] + truth[3]) / 2, abs=0.3 * side)
        left_eye, right_eye, nose, _, mouth = faces[0].landmarks
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_eye[1] < nose[1] < mouth[1]


def test_a_batch_gives_what_single_images_give(detector, portraits, crowd):
    images = [portraits[0][0], np.zeros((50, 90, 3), np.uint8), crowd[0][:, :220]]
    together = detector.detect(images)
    for image, faces in zip(images, together, strict=True):
        alone = detector.detect([image])[0]
        assert len(alone) == len(faces)
        for one, other in zip(alone, faces, strict=True):
            np.testing.assert_allclose(one.box, other.box, atol=0.01)
    assert together[1] == []


def test_large_images_are_searched_small_and_boxes_are_given_in_full_pixels(detector, portraits):
    small = portraits[0][0]
    large = cv2.resize(small, (1280, 1280), interpolation=cv2.INTER_CUBIC)
    one, other = detector.detect([small])[0][0], detector.detect([large])[0][0]
    np.testing.assert_allclose(np.array(other.box) / 5, one.box, atol=6)
    np.testing.assert_allclose(other.landmarks / 5, one.landmarks, atol=6)


def test_a_face_cut_by_the_border_is_found(detector, portraits):
    pixels, truth = portraits[0]
    cut = pixels[:, int((truth[0] + truth[2]) / 2 - 0.2 * (truth[2] - truth[0])) :]
    assert detector.detect([cut])[0]


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (12, 12), (19, 400), (2000, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_odd_sizes_hold_no_face(detector, size, value):
    assert detector.detect([np.full((*size, 3), value, np.uint8)]) == [[]]


def test_noise_and_drawings_hold_no_certain_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    drawing = cv2.circle(np.full((200, 200, 3), 255, np.uint8), (100, 100), 60, (0, 0, 0), 3)
    assert all(face.probability < 0.9 for faces in detector.detect([noise, drawing]) for face in faces)


def test_nothing_in_nothing_out(detector):
    assert detector.detect([]) == []


def test_the_pyramid_starts_at_the_smallest_face_and_ends_at_the_image():
    settings = FaceSettings(smallest_face_pixels=24, smallest_face_share=0.0, pyramid_factor=0.5)
    assert pyramid_scales(100, 200, settings) == [0.5, 0.25, 0.125]
    assert pyramid_scales(100, 200, replace(settings, smallest_face_share=0.48)) == [0.25, 0.125]
    assert pyramid_scales(23, 200, settings) == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_what_the_cpu_finds(detector, portraits, crowd):
    images = [crowd[0], *(pixels for pixels, _ in portraits), np.zeros((50, 90, 3), np.uint8)]
    on_gpu = MtcnnDetector(FaceSettings(), torch.device("cuda")).detect(images)
    for faces, others in zip(detector.detect(images), on_gpu, strict=True):
        assert len(faces) == len(others)
        for one, other in zip(faces, others, strict=True):
            np.testing.assert_allclose(one.box, other.box, atol=0.5)
