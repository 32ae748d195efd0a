"""What is behind people: a defocused wall with panels, shelves and shapes."""

import cv2
import numpy as np

from demo.face_grid import fractal_noise
from demo.face_palette import random_colour


def draw_background(size_pixels: int, stream: np.random.Generator) -> np.ndarray:
    """RGB float32 of shape (size, size, 3)."""
    top, bottom = random_colour(stream, 0.45), random_colour(stream, 0.45)
    down = np.linspace(0, 1, size_pixels, dtype=np.float32)[:, None, None]
    scene = np.repeat(top * (1 - down) + bottom * down, size_pixels, axis=1)
    for _ in range(stream.integers(3, 16)):
        _draw_thing(scene, size_pixels, stream)
    blurred = cv2.GaussianBlur(scene, (0, 0), float(stream.uniform(1.0, 7)))
    mottling = fractal_noise(stream, (size_pixels, size_pixels), 60, 4)
    return np.asarray(blurred * (1 + np.float32(0.05) * mottling)[..., None], dtype=np.float32)


def _draw_thing(scene: np.ndarray, size_pixels: int, stream: np.random.Generator) -> None:
    colour = random_colour(stream, 0.6 if stream.random() < 0.25 else 0.35).tolist()
    x, y = stream.integers(0, size_pixels, 2).tolist()
    width, height = stream.integers(10, size_pixels // 3, 2).tolist()
    kind = stream.integers(5)
    if kind == 0:
        cv2.rectangle(scene, (x, y), (x + width, y + height), colour, -1)
    elif kind == 1:
        angle = float(stream.uniform(0, 180))
        cv2.ellipse(scene, (x, y), (width // 2 + 2, height // 2 + 2), angle, 0, 360, colour, -1)
    elif kind == 2:
        end_x, end_y = stream.integers(0, size_pixels, 2).tolist()
        cv2.line(scene, (x, y), (end_x, end_y), colour, int(stream.integers(2, 12)))
    elif kind == 3:
        for number in range(stream.integers(3, 8)):  # a shelf of books
            left = x + number * width // 3
            book = random_colour(stream, 0.45).tolist()
            cv2.rectangle(scene, (left, y), (left + width // 4, y + height), book, -1)
    else:
        corners = stream.integers(0, size_pixels, (3, 2)).astype(np.int32)
        cv2.fillPoly(scene, [corners], colour)
