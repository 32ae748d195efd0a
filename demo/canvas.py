"""The picture that people are drawn on: a window of a photograph, addressed in face units."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a head is in the photograph: its origin in pixels and the length of a face unit in pixels."""

    center_x: float
    center_y: float
    pixels_per_unit: float


@dataclass(frozen=True, kw_only=True)
class Region:
    """A rectangle of a canvas: its pixels (a view) and the face coordinates x (1, width), y (height, 1)."""

    pixels: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def blend(self, colour: np.ndarray, share: np.ndarray) -> None:
        """Cover the pixels with `colour` (height, width, 3) by `share` (height, width)."""
        self.pixels[...] += share[..., None] * (colour - self.pixels)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """RGB float32 pixels (height, width, 3) of the window whose corner is (left, top) in the photograph."""

    pixels: np.ndarray
    left: int
    top: int

    def region(
        self, placement: Placement, left: float, right: float, top: float, bottom: float
    ) -> Region | None:
        """The part of the canvas within these face coordinates of a placed head, or None outside."""
        height, width = self.pixels.shape[:2]
        scale = placement.pixels_per_unit
        origin_x, origin_y = placement.center_x - self.left, placement.center_y - self.top
        first_column, last_column = _range(origin_x + left * scale, origin_x + right * scale, width)
        first_row, last_row = _range(origin_y + top * scale, origin_y + bottom * scale, height)
        if last_column - first_column < 2 or last_row - first_row < 2:
            return None
        columns = np.arange(first_column, last_column, dtype=np.float32)
        rows = np.arange(first_row, last_row, dtype=np.float32)
        return Region(
            pixels=self.pixels[first_row:last_row, first_column:last_column],
            x=((columns - np.float32(origin_x)) / np.float32(scale))[None],
            y=((rows - np.float32(origin_y)) / np.float32(scale))[:, None],
        )


def _range(first: float, last: float, size: int) -> tuple[int, int]:
    return max(0, int(np.floor(first))), min(size, int(np.ceil(last)) + 1)
