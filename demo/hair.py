"""Hair and glasses: they lie over the face, whatever its expression."""

from dataclasses import dataclass

import cv2
import numpy as np

from demo.face_description import FaceDescription
from demo.face_grid import PIXELS_PER_UNIT, WHOLE_GRID, blur, bump, smooth_noise, smooth_step
from demo.face_palette import GLASSES_FRAME
from demo.head_geometry import FaceMeasures, Outline


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What covers the face: albedo = skin · transmission + addition.

    transmission: (height, width, 1). addition: (height, width, 3). hair: where hair is, 0 to 1,
    (height, width). cap: hair beyond the head's silhouette, (height, width). cap_relief: height of the
    hair there. strands: texture of unit variance for hair drawn elsewhere, (height, width).
    """

    transmission: np.ndarray
    addition: np.ndarray
    hair: np.ndarray
    cap: np.ndarray
    cap_relief: np.ndarray
    strands: np.ndarray


def grow_hair(
    face: FaceDescription,
    measures: FaceMeasures,
    outline: Outline,
    inside: np.ndarray,
    relative_x: np.ndarray,
    hair_rgb: np.ndarray,
    stream: np.random.Generator,
) -> Overlay:
    """Hair as cut and coloured, and glasses. `inside` is 1 within the head's silhouette."""
    grid = WHOLE_GRID
    strands = _draw_strands(stream)
    on_head = _hair_on_head(face, relative_x, stream)
    thickness = hair_thickness(face)
    cap, cap_relief = _hair_beyond_head(face, outline, thickness, stream)
    hair = np.clip(np.maximum(on_head * inside, cap * (1 - inside)), 0, 1).astype(np.float32)
    texture = 1 + 0.20 * strands + 0.10 * smooth_noise(stream, grid.shape, 0.21 * PIXELS_PER_UNIT)
    shadow = 1 - 0.25 * blur(hair, 0.042) * (1 - hair) * inside
    transmission = (1 - hair) * shadow
    addition = hair_rgb * (texture * hair * shadow)[..., None]
    if face.glasses:
        frame = 0.9 * _glasses(measures)
        transmission *= 1 - frame
        addition = addition * (1 - frame[..., None]) + GLASSES_FRAME * frame[..., None]
    return Overlay(
        transmission=transmission[..., None].astype(np.float32),
        addition=addition.astype(np.float32),
        hair=hair,
        cap=cap.astype(np.float32),
        cap_relief=cap_relief.astype(np.float32),
        strands=strands,
    )


def hair_thickness(face: FaceDescription) -> float:
    """How far the hair stands out from the head, in face units."""
    if face.bald:
        return 0.0
    style = face.hair_style
    return 0.06 + 0.08 * face.femininity + 0.05 * (style == 3) + 0.03 * (style == 1)


def _draw_strands(stream: np.random.Generator) -> np.ndarray:
    dots = stream.standard_normal(WHOLE_GRID.shape, dtype=np.float32)
    strands = cv2.GaussianBlur(
        dots, (0, 0), sigmaX=0.0075 * PIXELS_PER_UNIT + 0.1, sigmaY=0.08 * PIXELS_PER_UNIT
    )
    return np.asarray(strands / strands.std(), dtype=np.float32)


def _hair_on_head(face: FaceDescription, relative_x: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    grid, style = WHOLE_GRID, face.hair_style
    if face.bald:
        rim = smooth_step(0.86, 0.96, relative_x)
        return rim * (1 - smooth_step(0.0, 0.2, grid.y)) * smooth_step(-1.0, -0.7, grid.y)
    line_y = -0.86 - 0.05 * face.forehead_height - 0.144 * face.baldness
    line_y = line_y + 0.18 * np.power(np.abs(grid.x), np.float32(2.2)) * (0.3 if style == 2 else 1)
    if style > 0:
        line_y = line_y + 0.05 * np.sin(grid.x * (4 + style) + style * 1.7)
    line_y = line_y + 0.05 * smooth_noise(stream, (2, grid.shape[1]), 0.117 * PIXELS_PER_UNIT)[:1]
    temple = 0.86 - 0.05 * (style % 2) + 0.10 * face.baldness
    sides = smooth_step(temple - 0.03, temple + 0.05, relative_x) * (1 - smooth_step(0.05, 0.2, grid.y))
    hair = np.maximum(1 - smooth_step(-0.05, 0.05, grid.y - line_y), sides)
    if face.femininity > 0.5 and style in (1, 3):  # a fringe, parted on one side
        parting = 0.35 if style == 1 else -0.35
        fringe_y = line_y + 0.16 + 0.22 * np.abs(grid.x + parting)
        hair = np.maximum(hair, 1 - smooth_step(-0.04, 0.06, grid.y - fringe_y))
    return hair


def _hair_beyond_head(
    face: FaceDescription, outline: Outline, thickness: float, stream: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mask and relief of the head enlarged by its hair."""
    grid = WHOLE_GRID
    if face.bald:
        return np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    waves = 1 + 0.12 * smooth_noise(stream, (grid.shape[0], 2), 0.25 * PIXELS_PER_UNIT)[:, :1]
    volume = thickness * waves * (1 - smooth_step(-0.1, 0.4, grid.y))
    top_y = outline.top_y - thickness * 1.1
    y = np.where(grid.y < 0, grid.y * (outline.top_y / top_y), grid.y)
    relative_x = np.abs(grid.x) / np.maximum(outline.widths(y) + volume, 1e-3)
    cap = (1 - smooth_step(0.985, 1.0, relative_x)) * (grid.y > top_y)
    cap = cap * (1 - smooth_step(0.25, 0.45, grid.y))
    return cap, outline.dome(y, relative_x) + 0.55 * thickness


def _glasses(measures: FaceMeasures) -> np.ndarray:
    grid = WHOLE_GRID
    vertical = np.power(np.abs((grid.y - measures.eye_y - 0.03) / 0.19), np.float32(3.2))
    horizontal = np.power(np.abs((np.abs(grid.x) - measures.eye_x * 1.02) / 0.27), np.float32(3.2))
    rims = bump(np.power(vertical + horizontal, np.float32(1 / 3.2)) - 1, 0.055)
    bridge = bump(grid.y - measures.eye_y + 0.03, 0.016) * (np.abs(grid.x) < 0.15)
    return np.asarray(np.maximum(rims, bridge), dtype=np.float32)
