import numpy as np
import pytest

from preprocessing.face_crop import crop_face, crop_square
from preprocessing.face_detection import FaceDetection


def face(left, top, right, bottom):
    return FaceDetection(
        box=(left, top, right, bottom), landmarks=np.zeros((5, 2), np.float32), probability=1.0
    )


def test_the_square_has_the_longer_side_and_the_margin():
    assert crop_square(face(40, 20, 60, 60), 0.0) == (30, 20, 40)
    assert crop_square(face(40, 20, 60, 60), 0.25) == (20, 10, 60)


def test_pixels_are_kept_as_they_are_where_sizes_agree():
    image = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_face(image, face(10, 20, 50, 60), 0.0, 40), image[20:60, 10:50])


def test_beyond_the_border_the_outermost_pixels_are_repeated():
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    crop = crop_face(image, face(-10, 20, 30, 60), 0.0, 40)
    np.testing.assert_array_equal(crop[:20, 10:], image[20:, :30])
    np.testing.assert_array_equal(crop[5, :10], np.repeat(image[25, :1], 10, axis=0))
    np.testing.assert_array_equal(crop[20:, 12], np.repeat(image[39:, 2], 20, axis=0))


@pytest.mark.parametrize("side", [1, 7, 39, 400])
def test_every_crop_has_the_asked_size(side):
    image = np.full((50, 60, 3), 77, np.uint8)
    crop = crop_face(image, face(20, 20, 20 + side, 20 + side), 0.125, 160)
    assert crop.shape == (160, 160, 3)
    assert crop.dtype == np.uint8
    assert (crop == 77).all()
