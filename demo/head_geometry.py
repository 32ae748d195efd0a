"""The relief of a head: height towards the viewer over the face plane, in face units."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from demo.face_description import Expression, FaceDescription
from demo.face_grid import WHOLE_GRID, FaceGrid, blob, both_sides, bump, smooth_step

_OUTLINE_Y = (-1.42, -1.36, -1.2, -0.95, -0.6, -0.2, 0.2, 0.55, 0.85, 1.08, 1.24)
_OUTLINE_DEPTH = (0, 0.35, 0.65, 0.85, 0.98, 1.0, 1.0, 0.99, 0.97, 0.93, 0.84, 0.62, 0.35)
_DEPTH_SCALE = 1.02


@dataclass(frozen=True, kw_only=True)
class FaceMeasures:
    """Where the parts of a face are and how large, in face units, at rest."""

    eye_x: float
    eye_y: float
    eye_half_width: float
    nose_tip_y: float
    nose_half_width: float
    nose_height: float
    mouth_y: float
    mouth_half_width: float
    lip_thickness: float
    brow_y: float
    chin_y: float
    jaw: float
    cheeks: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Half width and depth of the head along y."""

    half_width: PchipInterpolator
    depth: PchipInterpolator
    top_y: float
    bottom_y: float

    def widths(self, y: np.ndarray) -> np.ndarray:
        """Half widths at y, float32 of y's shape, never 0."""
        inside = np.clip(y, self.top_y, self.bottom_y)
        return np.maximum(self.half_width(inside).astype(np.float32), np.float32(1e-3))

    def dome(self, y: np.ndarray, relative_x: np.ndarray) -> np.ndarray:
        """The egg that a head is: height at y and at |x| / half width."""
        inside = np.clip(y, self.top_y, self.bottom_y)
        roundness = np.power(1 - np.power(np.clip(relative_x, 0, 1), np.float32(2.25)), np.float32(0.55))
        return self.depth(inside).astype(np.float32) * roundness * np.float32(_DEPTH_SCALE)


@dataclass(frozen=True, kw_only=True)
class MouthShape:
    """The lips on a grid: everything that painting and relief of the mouth share.

    line_y: y of the line between the lips at each x, (1, width). envelope: 1 mid-mouth, 0 beyond the
    corners, (1, width). upper, lower: thickness of the lips at each x. opening: how far the lower lip drops.
    """

    half_width: float
    line_y: np.ndarray
    envelope: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    opening: float


def measure(face: FaceDescription) -> FaceMeasures:
    """Turn z-scores into lengths."""
    female = face.femininity
    height = 1.0 + 0.055 * face.face_height - 0.03 * female
    nose_tip_y = 0.47 + 0.045 * face.nose_length
    eye_y = -0.04 + 0.03 * face.eye_height
    return FaceMeasures(
        eye_x=0.405 + 0.027 * face.eye_distance,
        eye_y=eye_y,
        eye_half_width=0.165 + 0.018 * face.eye_size + 0.008 * female,
        nose_tip_y=nose_tip_y,
        nose_half_width=0.155 + 0.03 * face.nose_width - 0.015 * female,
        nose_height=0.30 + 0.05 * face.nose_height - 0.03 * female,
        mouth_y=0.80 + 0.03 * face.mouth_height + 0.4 * (nose_tip_y - 0.47),
        mouth_half_width=0.30 + 0.045 * face.mouth_width,
        lip_thickness=0.078 + 0.021 * face.lip_thickness + 0.008 * female,
        brow_y=eye_y - 0.265 - 0.03 * face.brow_height - 0.03 * female,
        chin_y=float(np.clip(0.04 * face.chin_length - 0.03 * female, -0.08, 0.15)),
        jaw=1.0 + 0.065 * face.jaw_width - 0.09 * female + 0.05 * face.fullness,
        cheeks=1.0 + 0.038 * face.cheek_width + 0.03 * face.fullness,
        height=height,
    )


def head_outline(measures: FaceMeasures) -> Outline:
    """The silhouette."""
    chin, jaw, cheeks = measures.chin_y, measures.jaw, measures.cheeks
    knots_y = np.array([*_OUTLINE_Y, 1.34 + chin, 1.40 + chin]) * measures.height
    half_widths = [0, 0.28, 0.58, 0.80, 0.93, 0.975 * cheeks, 0.965 * cheeks, 0.90 * cheeks * jaw**0.5]
    half_widths += [0.775 * jaw, 0.60 * jaw, 0.42 * jaw, 0.22 * jaw, 0]
    return Outline(
        half_width=PchipInterpolator(knots_y, half_widths),
        depth=PchipInterpolator(knots_y, _OUTLINE_DEPTH),
        top_y=float(knots_y[0]),
        bottom_y=float(knots_y[-1]),
    )


def resting_relief(
    face: FaceDescription, measures: FaceMeasures, outline: Outline, relative_x: np.ndarray
) -> np.ndarray:
    """Height of the head without hair and without the mouth, (height, width) over the whole grid."""
    grid, female, old = WHOLE_GRID, face.femininity, face.agedness
    eye_x, eye_y = measures.eye_x, measures.eye_y
    relief = outline.dome(grid.y, relative_x)
    relief -= 0.17 * both_sides(grid, eye_x * 0.98, eye_y, 0.215, 0.135)
    relief += 0.085 * both_sides(grid, eye_x, eye_y + 0.005, 0.13, 0.088)
    relief += (0.055 - 0.03 * female) * both_sides(grid, eye_x * 0.95, measures.brow_y, 0.26, 0.075)
    relief -= 0.05 * both_sides(grid, 0.16, eye_y, 0.07, 0.10)
    relief += 0.05 * (1 + 0.3 * face.cheek_width) * both_sides(grid, 0.60, 0.30, 0.20, 0.16)
    relief -= 0.03 * (1 - 0.4 * face.fullness) * both_sides(grid, 0.62, 0.72, 0.15, 0.2)
    relief -= 0.02 * old * both_sides(grid, eye_x, eye_y + 0.17, 0.17, 0.03)
    relief += _nose(measures)
    relief -= 0.045 * blob(grid, 0, measures.mouth_y + 0.2, 0.22, 0.05)
    relief += 0.10 * blob(grid, 0, 1.14 * measures.height + measures.chin_y, 0.2, 0.13)
    if old > 0:
        relief += 0.016 * old**1.5 * _wrinkles(measures)
    return relief.astype(np.float32)


def _nose(measures: FaceMeasures) -> np.ndarray:
    grid, tip_y, half_width = WHOLE_GRID, measures.nose_tip_y, measures.nose_half_width
    root_y = measures.eye_y - 0.10
    along = np.clip((grid.y - root_y) / (tip_y - root_y), 0, 1)
    ridge = measures.nose_height * (0.22 + 0.78 * np.power(along, 1.25))
    ridge *= smooth_step(measures.eye_y - 0.28, measures.eye_y - 0.02, grid.y)
    ridge *= 1 - smooth_step(tip_y, tip_y + 0.15, grid.y)
    nose = ridge * bump(grid.x, 0.062 + 0.045 * along + 0.15 * (half_width - 0.155))
    nose += 0.075 * blob(grid, 0, tip_y - 0.01, 0.085, 0.065)
    nose += 0.13 * both_sides(grid, half_width * 0.92, tip_y - 0.02, 0.062, 0.072)
    nose -= 0.03 * blob(grid, 0, (tip_y + measures.mouth_y) / 2, 0.035, 0.09)
    return nose


def _wrinkles(measures: FaceMeasures) -> np.ndarray:
    """Lines of the forehead and crow's feet, negative."""
    grid = WHOLE_GRID
    lines = np.zeros(grid.shape, np.float32)
    for number in range(3):
        line_y = -0.58 - 0.13 * number + 0.03 * np.cos(grid.x * 3 + number)
        lines -= bump(grid.y - line_y, 0.014) * bump(grid.x, 0.42)
    corner_x = measures.eye_x + measures.eye_half_width
    beyond = np.abs(grid.x) - corner_x
    fade = smooth_step(0.02, 0.06, beyond) * (1 - smooth_step(0.12, 0.2, beyond))
    for slope in (-0.5, 0.0, 0.5):
        lines -= 0.8 * bump(grid.y - measures.eye_y - slope * beyond, 0.012) * fade
    return lines


def shape_mouth(grid: FaceGrid, measures: FaceMeasures, expression: Expression) -> MouthShape:
    """The lips in an expression, evaluated along the grid's x."""
    half_width = measures.mouth_half_width + 0.06 * expression.smile
    across = grid.x / half_width
    envelope = np.clip(1 - np.power(np.abs(across), np.float32(2.4)), 0, 1)
    fullness = np.power(envelope, np.float32(0.6))
    curve = -0.09 * expression.smile * np.square(across) + 0.012 * np.abs(across)
    bow = 1 + 0.15 * np.cos(across * 2 * np.pi)
    return MouthShape(
        half_width=half_width,
        line_y=measures.mouth_y + curve,
        envelope=envelope,
        upper=measures.lip_thickness * 0.85 * fullness * bow,
        lower=measures.lip_thickness * 1.15 * fullness,
        opening=0.05 * expression.mouth_opening,
    )


def mouth_relief(
    grid: FaceGrid,
    face: FaceDescription,
    measures: FaceMeasures,
    mouth: MouthShape,
    expression: Expression,
) -> np.ndarray:
    """What lips, folds beside the mouth and a smile's cheeks add to the relief of the grid."""
    smile, nose_y, mouth_y = expression.smile, measures.nose_tip_y, measures.mouth_y
    below_line = grid.y - mouth.line_y
    relief = 0.085 * mouth.envelope * bump(below_line + 0.45 * mouth.upper, 0.05)
    relief += 0.105 * mouth.envelope * bump(below_line - 0.55 * mouth.lower - mouth.opening, 0.055)
    relief -= 0.06 * np.sqrt(mouth.envelope) * bump(below_line, 0.018)
    start_x = measures.nose_half_width + 0.06
    down = np.clip((grid.y - (nose_y - 0.02)) / (mouth_y - nose_y + 0.06), 0, 1)
    fold_x = start_x + (mouth.half_width * 1.12 - start_x) * np.power(down, np.float32(1.1))
    depth = 0.012 + 0.045 * face.agedness + 0.04 * smile
    fade = smooth_step(nose_y - 0.08, nose_y + 0.02, grid.y)
    fade = fade * (1 - smooth_step(mouth_y - 0.02, mouth_y + 0.10, grid.y))
    relief -= depth * fade * bump(np.abs(grid.x) - fold_x, 0.028)
    relief += 0.05 * smile * both_sides(grid, 0.48, 0.42, 0.15, 0.13)
    return np.asarray(relief, dtype=np.float32)
