"""The contract of a face detector: images in, boxes with landmarks and probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@dataclass(frozen=True, kw_only=True)
class FaceDetection:
    """One face that a detector found.

    box: left, top, right, bottom in pixels of the image as it was given; may reach beyond its border.
    landmarks: (x, y) of LANDMARK_NAMES in pixels, as the viewer sees left and right; float32 (5, 2).
    probability: how sure the detector is, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    probability: float

    @property
    def width_pixels(self) -> float:
        """Width of the box."""
        return self.box[2] - self.box[0]

    @property
    def height_pixels(self) -> float:
        """Height of the box."""
        return self.box[3] - self.box[1]

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box (x, y)."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


class FaceDetector(Protocol):
    """Finds every face of every image."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[FaceDetection]]:
        """Faces of each image, the most probable first; an empty list where there is none.

        images: RGB uint8 (height, width, 3), of any and of different sizes.
        """
        ...
