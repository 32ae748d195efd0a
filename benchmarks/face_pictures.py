"""Pictures that the face benchmark is run on: photographs of the generated world, backgrounds, large and mixed files."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from demo.background import draw_background
from demo.face_description import describe_face
from demo.head import Head
from demo.identity_model import sample_balanced, standard_model
from demo.photograph import pose_alone, pose_with_bystander, take_photograph
from src.media.image import read_image, write_jpeg

LARGE_HEIGHT, LARGE_WIDTH = 1080, 1920
_PEOPLE = 16
_SMALLEST_MIXED_SIDE, _LARGEST_MIXED_SIDE = 96, 1600


def draw_backgrounds(count: int, seed: int = 0) -> list[np.ndarray]:
    """Backgrounds of the generated world without anybody, as a camera stores them; uint8 (256, 256, 3)."""
    stream = np.random.default_rng(seed)
    return [take_photograph([], stream) for _ in range(count)]


def draw_photographs(count: int, seed: int = 0) -> list[np.ndarray]:
    """Photographs of the generated world, every fourth with a bystander; uint8 (256, 256, 3)."""
    stream = np.random.default_rng(seed)
    people = sample_balanced(standard_model(), _PEOPLE, stream)
    heads = [Head(describe_face(person, stream)) for person in people]
    photographs = []
    for number in range(count):
        head, other = heads[number % _PEOPLE], heads[(number + 1) % _PEOPLE]
        together = pose_with_bystander(head, other, stream)
        sitters = together[::-1] if number % 4 == 0 else [pose_alone(head, stream)]
        photographs.append(take_photograph(sitters, stream))
    return photographs


def write_large_files(photographs: Sequence[Path], folder: Path, seed: int = 0) -> list[Path]:
    """Photographs as JPEG files of 1920 x 1080 pixels: each as large as fits, before a drawn background."""
    stream = np.random.default_rng(seed)
    written = []
    for number, path in enumerate(photographs):
        drawn = _resized(draw_background(LARGE_WIDTH // 4, stream), 4)[:LARGE_HEIGHT]
        scene = drawn.clip(0, 255).astype(np.uint8)
        pixels = read_image(path)
        height, width = pixels.shape[:2]
        scale = min(LARGE_HEIGHT / height, LARGE_WIDTH / width)
        pixels = _resized(pixels, scale)
        height, width = pixels.shape[:2]
        top, left = (LARGE_HEIGHT - height) // 2, (LARGE_WIDTH - width) // 2
        scene[top : top + height, left : left + width] = pixels
        written.append(folder / f"{number:03d}.jpg")
        write_jpeg(written[-1], scene, quality=90)
    return written


def write_mixed_files(photographs: Sequence[Path], folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Photographs, cut and scaled to sizes from 96 to 1600 pixels, most of them small, as JPEG files."""
    stream = np.random.default_rng(seed)
    images = [read_image(path) for path in photographs]
    written = []
    for number in range(count):
        pixels = images[number % len(images)]
        height, width = pixels.shape[:2]
        bottom, right = (int(side * stream.uniform(0.6, 1)) for side in (height, width))
        side = np.exp(stream.uniform(np.log(_SMALLEST_MIXED_SIDE), np.log(_LARGEST_MIXED_SIDE)))
        written.append(folder / f"{number:05d}.jpg")
        write_jpeg(
            written[-1], _resized(pixels[:bottom, :right], float(side) / max(bottom, right)), quality=90
        )
    return written


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
