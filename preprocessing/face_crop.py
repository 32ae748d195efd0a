"""The geometry of a crop: a square around a face, with a margin, at a fixed size."""

import cv2
import numpy as np

from preprocessing.face_detection import FaceDetection


def crop_square(face: FaceDetection, margin: float) -> tuple[int, int, int]:
    """Left, top and side of the square around a box, in whole pixels; it may reach beyond the image.

    The square has the box's centre and its longer side, plus `margin` times that side at each edge, so that a
    face is never stretched.
    """
    x, y = face.centre
    side = max(1, round(max(face.width_pixels, face.height_pixels) * (1 + 2 * margin)))
    return round(x - side / 2), round(y - side / 2), side


def crop_face(image: np.ndarray, face: FaceDetection, margin: float, side_pixels: int) -> np.ndarray:
    """Cut a face out of RGB uint8 (height, width, 3): uint8 (side_pixels, side_pixels, 3).

    Beyond the image's border its outermost pixels are repeated.
    """
    left, top, side = crop_square(face, margin)
    height, width = image.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    square = image[rows[:, None], columns]
    interpolation = cv2.INTER_AREA if side >= side_pixels else cv2.INTER_CUBIC
    return cv2.resize(square, (side_pixels, side_pixels), interpolation=interpolation)
