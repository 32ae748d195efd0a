"""The plane that a head is modelled on, and the few shapes that everything on it is made of.

Coordinates are in face units: the half width of an average face is 1, x to the viewer's right, y down,
the origin between the eyes' height and the nose.
"""

from dataclasses import dataclass

import cv2
import numpy as np

PIXELS_PER_UNIT = 64
_LEFT, _RIGHT, _TOP, _BOTTOM = -1.7, 1.7, -1.9, 2.0


@dataclass(frozen=True, kw_only=True)
class FaceGrid:
    """A rectangle of sample points: x of shape (1, width), y of shape (height, 1), float32.

    rows, columns: where the rectangle lies in the whole grid.
    """

    x: np.ndarray
    y: np.ndarray
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in samples."""
        return self.y.shape[0], self.x.shape[1]

    def window(self, left: float, right: float, top: float, bottom: float) -> "FaceGrid":
        """The part of the whole grid within these face coordinates."""
        rows = slice(*_sample_range(top - _TOP, bottom - _TOP, self.shape[0]))
        columns = slice(*_sample_range(left - _LEFT, right - _LEFT, self.shape[1]))
        return FaceGrid(x=self.x[:, columns], y=self.y[rows], rows=rows, columns=columns)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """The view of a whole-grid array that this rectangle covers."""
        return values[self.rows, self.columns]


def _sample_range(first: float, last: float, count: int) -> tuple[int, int]:
    return max(0, int(first * PIXELS_PER_UNIT)), min(count, int(last * PIXELS_PER_UNIT) + 1)


def _whole_grid() -> FaceGrid:
    width, height = int((_RIGHT - _LEFT) * PIXELS_PER_UNIT), int((_BOTTOM - _TOP) * PIXELS_PER_UNIT)
    return FaceGrid(
        x=(_LEFT + np.arange(width, dtype=np.float32) / PIXELS_PER_UNIT)[None],
        y=(_TOP + np.arange(height, dtype=np.float32) / PIXELS_PER_UNIT)[:, None],
        rows=slice(0, height),
        columns=slice(0, width),
    )


WHOLE_GRID = _whole_grid()


def grid_columns(x: np.ndarray) -> np.ndarray:
    """Fractional column of the whole grid at face coordinate x."""
    return (x - np.float32(_LEFT)) * np.float32(PIXELS_PER_UNIT)


def grid_rows(y: np.ndarray) -> np.ndarray:
    """Fractional row of the whole grid at face coordinate y."""
    return (y - np.float32(_TOP)) * np.float32(PIXELS_PER_UNIT)


def bump(values: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """exp(−(values / width)² / 2)."""
    return np.exp(-0.5 * np.square(values / width))


def blob(
    grid: FaceGrid, center_x: float, center_y: float, width: float, height: float, angle: float = 0.0
) -> np.ndarray:
    """A Gaussian hill of height 1 and standard deviations `width` and `height`, turned by `angle` radians."""
    x, y = grid.x - center_x, grid.y - center_y
    if angle:
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        return np.exp(-0.5 * (np.square(along / width) + np.square(across / height)))
    return bump(y, height) * bump(x, width)


def both_sides(grid: FaceGrid, center_x: float, center_y: float, width: float, height: float) -> np.ndarray:
    """The same hill left and right."""
    x = bump(grid.x - center_x, width) + bump(grid.x + center_x, width)
    return bump(grid.y - center_y, height) * x


def smooth_step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, a cubic between."""
    share = np.clip((values - low) * (1.0 / (high - low)), 0, 1)
    return share * share * (3 - 2 * share)


def blur(values: np.ndarray, sigma_units: float) -> np.ndarray:
    """Gaussian blur by a standard deviation in face units."""
    return cv2.GaussianBlur(values, (0, 0), max(0.3, sigma_units * PIXELS_PER_UNIT))


def smooth_noise(stream: np.random.Generator, shape: tuple[int, int], scale_pixels: float) -> np.ndarray:
    """Noise of about unit variance whose features are `scale_pixels` wide, float32 of `shape`."""
    rows, columns = (max(2, int(size / scale_pixels)) for size in shape)
    coarse = stream.standard_normal((rows, columns), dtype=np.float32)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def fractal_noise(
    stream: np.random.Generator, shape: tuple[int, int], scale_pixels: float, octaves: int
) -> np.ndarray:
    """Octaves of noise, each half as wide and half as strong."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += 0.5**octave * smooth_noise(stream, shape, scale_pixels / 2**octave)
    return total
