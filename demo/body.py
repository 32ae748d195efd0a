"""What is around a head: neck and clothes, ears, and long hair behind."""

import cv2
import numpy as np

from demo.canvas import Canvas, Placement
from demo.face_grid import bump, grid_columns, grid_rows, smooth_noise, smooth_step
from demo.face_palette import random_colour
from demo.head import Head
from demo.lighting import Light

_EAR_COLOUR = np.array([0.95, 0.82, 0.78], np.float32)
_HAIR_LENGTHS = (0.95, 1.8, 1.5, 2.3)  # below the eyes, by hair style
_LOWEST = 7.0  # face units below the eyes: beyond the photograph


def draw_hair_behind(
    canvas: Canvas, head: Head, rotation: np.ndarray, placement: Placement, light: Light
) -> None:
    """Long hair, seen behind neck and shoulders."""
    face = head.face
    if not face.long_hair:
        return
    region = canvas.region(placement, -2.0, 2.0, -1.7, 3.2)
    if region is None:
        return
    x = region.x + rotation[0, 2] * np.float32(0.35)
    y = region.y
    above = np.sqrt(np.clip(1 - np.square((y + 0.2) / 1.25), 0, 1))
    below = 1 + 0.04 * np.sin(y * 4 + face.hair_style) + 0.05 * np.clip(y, 0, 2)
    half_width = (1.10 + head.hair_thickness) * np.where(y < -0.2, above, below)
    length = _HAIR_LENGTHS[face.hair_style]
    ends = y + 0.18 * np.abs(x) + 0.05 * np.sin(x * 9)
    cover = (1 - smooth_step(-0.03, 0.04, np.abs(x) - half_width)) * (half_width > 0.05)
    cover = cover * (1 - smooth_step(length - 0.1, length + 0.1, ends))
    rows, columns = np.broadcast_arrays(grid_rows(y), grid_columns(region.x))
    strands = cv2.remap(head.strands, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    colour = head.hair_rgb * ((0.50 + 0.25 * light.ambient) * (1 + 0.20 * strands))[..., None]
    region.blend(colour.astype(np.float32), cover.astype(np.float32))


def draw_body(
    canvas: Canvas,
    head: Head,
    rotation: np.ndarray,
    placement: Placement,
    light: Light,
    stream: np.random.Generator,
) -> None:
    """Neck and clothes; the colour of the clothes changes from photograph to photograph."""
    cloth_rgb = random_colour(stream, 0.6, 25, 230)
    neckline_depth = float(stream.uniform(0.05, 0.5))
    region = canvas.region(placement, -2.6, 2.6, 0.4, _LOWEST)
    if region is None:
        return
    female, fullness, ambient = head.face.femininity, head.face.fullness, light.ambient
    x, y = region.x + rotation[0, 2] * np.float32(0.7), region.y
    sidelight = np.clip(region.x * light.direction[0], -1, 1)
    neck_half_width = 0.58 - 0.11 * female + 0.04 * fullness
    spread = 0.45 * np.power(np.clip(y - 1.55, 0, 1), np.float32(1.5))
    neck = 1 - smooth_step(neck_half_width, neck_half_width + 0.05, np.abs(x) - spread)
    neck = neck * (1 - smooth_step(2.05, 2.2, y))
    roundness = np.sqrt(np.clip(1 - np.square(np.abs(x) / (neck_half_width + 0.3)), 0, 1))
    under_chin = 1 - 0.30 * (1 - smooth_step(1.3, 1.85, y))
    neck_shade = (0.42 + 0.62 * ambient) * (0.5 + 0.5 * roundness) * under_chin + 0.22 * sidelight
    region.blend(head.skin_rgb * neck_shade[..., None].astype(np.float32), neck.astype(np.float32))

    half_width = 2.35 - 0.4 * female + 0.1 * fullness
    edge = 1.72 + 0.10 * female + 0.75 * np.power(np.abs(x) / half_width, np.float32(3))
    edge = edge + 0.22 * np.clip(np.abs(x) - neck_half_width, 0, 3)
    edge = edge + neckline_depth * np.exp(-1.2 * np.square(x / 0.34))
    edge = edge + 0.10 * np.clip(1 - np.abs(x) / neck_half_width, 0, 1)
    sides = 1 - smooth_step(half_width * 0.97, half_width, np.abs(x))
    cover = smooth_step(-0.03, 0.03, y - edge) * sides
    shape = cover.shape
    weave = 1 + 0.05 * smooth_noise(stream, shape, 28) + 0.03 * smooth_noise(stream, shape, 3)
    shade = (0.55 + 0.5 * ambient) * weave + 0.20 * sidelight - 0.18 * bump(y - edge, 0.035)
    region.blend(cloth_rgb * shade[..., None].astype(np.float32), cover.astype(np.float32))


def draw_ears(
    canvas: Canvas,
    head: Head,
    rotation: np.ndarray,
    turning_depth: float,
    placement: Placement,
    light: Light,
) -> None:
    """Both ears, unless hair covers them."""
    if head.face.long_hair:
        return
    for side in (-1, 1):
        ear = np.array([side, 0.12, 0.25 - turning_depth], np.float32)
        ear_x, ear_y = (rotation[:2] @ ear).tolist()
        region = canvas.region(placement, ear_x - 0.2, ear_x + 0.2, ear_y - 0.4, ear_y + 0.4)
        if region is None:
            continue
        across, down = np.square(region.x - ear_x), np.square(region.y - ear_y)
        distance = np.sqrt(across / 0.13**2 + down / 0.27**2)
        hollow = 0.25 * np.exp(-across / 0.05**2 - down / 0.14**2)
        lit = 0.5 + 0.45 * float(np.clip(light.ambient + 0.4 * side * light.direction[0], 0, 1.2))
        colour = head.skin_rgb * _EAR_COLOUR * (lit - hollow)[..., None]
        region.blend(colour.astype(np.float32), (1 - smooth_step(0.9, 1.05, distance)).astype(np.float32))
