"""The colour of the skin, with what grows on it below the hair: mottling, redness, age spots, beard."""

import numpy as np

from demo.face_description import Expression, FaceDescription
from demo.face_grid import (
    PIXELS_PER_UNIT,
    WHOLE_GRID,
    blob,
    blur,
    both_sides,
    bump,
    fractal_noise,
    smooth_noise,
    smooth_step,
)
from demo.face_palette import skin_colour
from demo.head_geometry import FaceMeasures, shape_mouth

_REDNESS = np.array([0, 0.09, 0.10], np.float32)
_SHADOW_UNDER_EYES = np.array([1, 1, 0.8], np.float32)


def paint_skin(
    face: FaceDescription,
    measures: FaceMeasures,
    relative_x: np.ndarray,
    hair_rgb: np.ndarray,
    stream: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo of the bald, expressionless face, float32 (height, width, 3), and the relief of its beard."""
    grid, old, nose_y = WHOLE_GRID, face.agedness, measures.nose_tip_y
    base = skin_colour(face.skin_tone)
    mottling = fractal_noise(stream, grid.shape, 0.67 * PIXELS_PER_UNIT, 5)
    fine = smooth_noise(stream, grid.shape, 1.3)
    albedo = base * (1 + 0.022 * mottling + 0.018 * fine)[..., None]
    redness = 0.5 * both_sides(grid, 0.55, 0.32, 0.22, 0.17) + 0.6 * blob(grid, 0, nose_y, 0.13, 0.1)
    redness += 0.35 * blob(grid, 0, 1.1, 0.25, 0.15)
    albedo *= 1 - redness[..., None] * _REDNESS
    under_eyes = both_sides(grid, measures.eye_x, measures.eye_y + 0.14, 0.15, 0.05) * (0.06 + 0.12 * old)
    albedo *= 1 - under_eyes[..., None] * _SHADOW_UNDER_EYES
    if old > 0.3:
        spots = np.clip(smooth_noise(stream, grid.shape, 0.058 * PIXELS_PER_UNIT) - 1.9, 0, 1) * old
        albedo *= 1 - 0.25 * spots[..., None]
    beard_relief = np.zeros(grid.shape, np.float32)
    if face.femininity < 0.5:
        beard_relief = _grow_beard(face, measures, relative_x, hair_rgb, base, albedo, stream)
    _paint_nostrils(albedo, measures)
    return albedo.astype(np.float32), beard_relief


def _paint_nostrils(albedo: np.ndarray, measures: FaceMeasures) -> None:
    grid, nose_y, half_width = WHOLE_GRID, measures.nose_tip_y, measures.nose_half_width
    for side in (-1, 1):
        hole = blob(grid, side * half_width * 0.50, nose_y + 0.068, 0.042, 0.020, angle=side * 0.25)
        albedo *= 1 - 0.80 * hole[..., None]
    below = bump(grid.y - nose_y - 0.085, 0.02) * bump(grid.x, half_width)
    albedo *= 1 - 0.20 * below[..., None]


def _grow_beard(
    face: FaceDescription,
    measures: FaceMeasures,
    relative_x: np.ndarray,
    hair_rgb: np.ndarray,
    skin_rgb: np.ndarray,
    albedo: np.ndarray,
    stream: np.random.Generator,
) -> np.ndarray:
    """Paint beard, stubble and moustache into `albedo`; returns the height that they add."""
    grid, mouth_y, nose_y = WHOLE_GRID, measures.mouth_y, measures.nose_tip_y
    mouth = shape_mouth(grid, measures, Expression())
    lips = np.clip(1.25 * mouth.envelope * bump(grid.y - mouth_y - 0.01, 0.07), 0, 1)
    lower_face = smooth_step(0.55, 0.72, grid.y + 0.10 * np.square(grid.x)) * (1 - lips)
    beside_mouth = 0.36 * (1 - smooth_step(nose_y + 0.05, mouth_y - 0.02, grid.y))
    beside_mouth = beside_mouth - 0.36 * smooth_step(mouth_y - 0.03, mouth_y + 0.06, grid.y)
    whiskers = lower_face * smooth_step(-0.08, 0.02, np.abs(grid.x) - beside_mouth)
    sideburns = smooth_step(0.76, 0.86, relative_x) * smooth_step(0.0, 0.25, grid.y)
    beard = np.clip(np.maximum(whiskers, sideburns), 0, 1).astype(np.float32)
    half_width = measures.mouth_half_width
    arc = 0.10 * np.square(grid.x / half_width)
    moustache = bump(grid.y - (mouth_y - 0.5 * measures.lip_thickness - 0.075) - arc, 0.045)
    moustache = moustache * (1 - smooth_step(half_width * 0.95, half_width * 1.25, np.abs(grid.x)))
    density = 0.75 + 0.25 * np.clip(smooth_noise(stream, grid.shape, 1.5), -1, 1)
    stubble = 0.16 * (1 - face.femininity) * beard
    cover = np.clip(stubble + face.beard * 0.82 * blur(beard, 0.025), 0, 0.92) * density
    cover = np.maximum(cover, face.moustache * 0.8 * moustache * density)[..., None]
    albedo += cover * (hair_rgb * np.float32(0.85) + skin_rgb * np.float32(0.08) - albedo)
    return np.float32(0.05 * face.beard) * blur(beard, 0.042)
