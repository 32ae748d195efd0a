"""Mouth, eyes and brows: what an expression moves. They are painted on small windows of the albedo."""

import numpy as np

from demo.face_description import Expression, FaceDescription
from demo.face_grid import FaceGrid, blob, bump, smooth_step
from demo.face_palette import EYE_WHITE, IRIS_COLOURS, LIP_OF_SKIN, LIPSTICK, TEETH
from demo.head_geometry import FaceMeasures, MouthShape

_LID_COLOUR = np.array([0.9, 0.92, 0.94], np.float32)
_IRIS_RADIUS, _PUPIL_RADIUS = 0.074, 0.033
_BROW_LENGTH = 0.30


def mix(target: np.ndarray, colour: np.ndarray | float, share: np.ndarray) -> None:
    """Blend `colour` into `target` (height, width, 3) in place, by a share of shape (height, width)."""
    target += share[..., None] * (np.asarray(colour, np.float32) - target)


def darken(target: np.ndarray, share: np.ndarray) -> None:
    """Multiply `target` (height, width, 3) by 1 − share, in place."""
    target *= 1 - share[..., None]


def paint_mouth(
    albedo: np.ndarray, grid: FaceGrid, mouth: MouthShape, lipstick: float, skin_rgb: np.ndarray
) -> None:
    """Lips, the line between them and, in an open mouth, teeth."""
    below_line = grid.y - mouth.line_y
    inside = smooth_step(0, 0.05, mouth.envelope)
    lips = smooth_step(-0.012, 0.012, below_line + mouth.upper)
    lips = lips * (1 - smooth_step(-0.014, 0.014, below_line - mouth.lower - mouth.opening)) * inside
    colour = skin_rgb * LIP_OF_SKIN
    mix(albedo, colour + np.float32(lipstick) * (LIPSTICK - colour), 0.8 * lips)
    gap = bump(below_line - 0.5 * mouth.opening, 0.011 + 0.5 * mouth.opening)
    darken(albedo, 0.72 * gap * smooth_step(0, 0.02, mouth.envelope))
    if mouth.opening > 0.005:
        teeth = smooth_step(-0.004, 0.004, below_line - 0.004)
        teeth = teeth * (1 - smooth_step(-0.006, 0.006, below_line - 1.1 * mouth.opening))
        mix(albedo, TEETH, teeth * smooth_step(0.25, 0.4, mouth.envelope))


def paint_eye(
    albedo: np.ndarray,
    grid: FaceGrid,
    side: int,
    face: FaceDescription,
    measures: FaceMeasures,
    expression: Expression,
    iris_noise: np.ndarray,
) -> np.ndarray:
    """One eye (side −1 left of the picture, 1 right); returns its mask, (height, width)."""
    female, openness = face.femininity, 1 - expression.blink
    scale = measures.eye_half_width / 0.165
    outwards = (grid.x - side * measures.eye_x) * side
    down = grid.y - measures.eye_y + (0.06 * face.eye_tilt - 0.03) * outwards
    across = outwards / measures.eye_half_width
    upper_arc = np.power(np.clip(1 - np.power(np.abs(across + 0.10), 2.2), 0, 1), 0.75)
    lower_arc = np.power(np.clip(1 - np.power(np.abs(across - 0.12), 2.4), 0, 1), 0.8)
    upper_lid = -0.095 * scale * upper_arc * openness * (1 + 0.06 * female) + 0.006
    lower_lid = 0.058 * scale * lower_arc * openness + 0.006
    below_upper, below_lower = down - upper_lid, down - lower_lid
    mask = smooth_step(-0.010, 0.006, below_upper) * (1 - smooth_step(-0.006, 0.010, below_lower))
    mask = (mask * (np.abs(across) < 1.08)).astype(np.float32)
    shade = (0.62 + 0.38 * smooth_step(0.0, 0.07, below_upper)) * (
        1 - 0.15 * np.power(np.clip(np.abs(across), 0, 1), 3)
    )
    ball = EYE_WHITE * shade[..., None].astype(np.float32)
    _paint_iris(ball, grid, side * measures.eye_x + 0.05 * expression.gaze, measures.eye_y, face, iris_noise)
    mix(albedo, ball, mask)
    lashes = bump(below_upper + 0.004, 0.013 + 0.004 * female) * (np.abs(across) < 1.04)
    albedo *= 1 - (lashes * (0.80 + 0.15 * female))[..., None] * _LID_COLOUR
    darken(albedo, 0.32 * bump(below_lower - 0.004, 0.010) * (np.abs(across) < 1.0))
    crease = bump(below_upper + 0.052 + 0.01 * across, 0.013) * (np.abs(across) < 1.1)
    darken(albedo, 0.30 * crease)
    return mask


def _paint_iris(
    ball: np.ndarray,
    grid: FaceGrid,
    center_x: float,
    eye_y: float,
    face: FaceDescription,
    iris_noise: np.ndarray,
) -> None:
    radius = np.sqrt(np.square(grid.x - center_x) + np.square(grid.y - eye_y + 0.018))
    rings = 0.62 + 0.55 * smooth_step(0.02, _IRIS_RADIUS, radius)
    rings = rings * (1 - 0.75 * smooth_step(_IRIS_RADIUS * 0.8, _IRIS_RADIUS, radius))
    iris = IRIS_COLOURS[face.eye_colour] * (rings * (1 + 0.12 * iris_noise))[..., None]
    mix(ball, iris, 1 - smooth_step(_IRIS_RADIUS - 0.008, _IRIS_RADIUS + 0.008, radius))
    mix(ball, 10, 1 - smooth_step(_PUPIL_RADIUS - 0.005, _PUPIL_RADIUS + 0.005, radius))
    mix(ball, 250, np.clip(blob(grid, center_x + 0.022, eye_y - 0.045, 0.012, 0.012) * 1.3, 0, 1))


def paint_brow(
    albedo: np.ndarray,
    grid: FaceGrid,
    side: int,
    face: FaceDescription,
    measures: FaceMeasures,
    expression: Expression,
    hair_rgb: np.ndarray,
    hair_noise: np.ndarray,
) -> None:
    """The brow above one eye."""
    thickness = (0.042 + 0.011 * face.brow_thickness) * (1 - 0.32 * face.femininity)
    along = (grid.x * side - (measures.eye_x - 0.02)) / _BROW_LENGTH
    line_y = measures.brow_y - 0.05 * expression.brow_raise - 0.018 * face.brow_tilt * along
    line_y = line_y - 0.0315 * (1 - np.square(along))
    line_y = line_y + 0.04 * np.square(np.clip(along, 0, 1))
    brow = bump(grid.y - line_y, thickness * (1 - 0.45 * np.clip(along, -0.2, 1)))
    brow = brow * smooth_step(-1.08, -0.82, along) * (1 - smooth_step(0.72, 1.08, along))
    mix(albedo, hair_rgb * np.float32(0.75) + 8, np.clip(brow * (0.85 + 0.16 * hair_noise), 0, 0.90))
