"""Put a person into a photograph: pose, parallax, light, and the body below the head."""

from dataclasses import dataclass

import cv2
import numpy as np

from demo.body import draw_body, draw_ears, draw_hair_behind
from demo.canvas import Canvas, Placement
from demo.face_description import Expression
from demo.face_grid import PIXELS_PER_UNIT, blur, grid_columns, grid_rows
from demo.head import Head, HeadSurface
from demo.lighting import Light

TURNING_DEPTH = 0.55  # of the axis that a head turns about, in face units
_PARALLAX_STEPS = 6
_WARMTH = np.array([1.0, 0.985, 0.97], np.float32)
_REACH_X, _REACH_Y = 1.75, 2.0  # how far a turned head with its hair can reach, in face units


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Turning of a head, in radians: yaw to the side, pitch up and down, roll."""

    yaw: float
    pitch: float
    roll: float

    def matrix(self) -> np.ndarray:
        """Rotation (3, 3), float32."""
        cos_yaw, sin_yaw = np.cos(self.yaw), np.sin(self.yaw)
        cos_pitch, sin_pitch = np.cos(self.pitch), np.sin(self.pitch)
        cos_roll, sin_roll = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cos_yaw, 0, sin_yaw], [0, 1, 0], [-sin_yaw, 0, cos_yaw]])
        pitch = np.array([[1, 0, 0], [0, cos_pitch, -sin_pitch], [0, sin_pitch, cos_pitch]])
        roll = np.array([[cos_roll, -sin_roll, 0], [sin_roll, cos_roll, 0], [0, 0, 1]])
        return np.asarray(roll @ pitch @ yaw, dtype=np.float32)


def draw_pose(stream: np.random.Generator) -> Pose:
    """Mostly towards the camera."""
    yaw, pitch, roll = np.clip(stream.normal(0, [0.17, 0.09, 0.07]), -0.45, 0.45)
    return Pose(yaw=float(yaw), pitch=float(pitch), roll=float(roll))


def draw_person(
    canvas: Canvas,
    head: Head,
    expression: Expression,
    pose: Pose,
    placement: Placement,
    light: Light,
    stream: np.random.Generator,
) -> None:
    """Draw a person over what the canvas holds."""
    rotation = pose.matrix()
    draw_hair_behind(canvas, head, rotation, placement, light)
    draw_body(canvas, head, rotation, placement, light, stream)
    draw_ears(canvas, head, rotation, TURNING_DEPTH, placement, light)
    _draw_head(canvas, head.express(expression), rotation, placement, light)


def _draw_head(
    canvas: Canvas, surface: HeadSurface, rotation: np.ndarray, placement: Placement, light: Light
) -> None:
    region = canvas.region(placement, -_REACH_X, _REACH_X, -_REACH_Y, _REACH_Y)
    if region is None:
        return
    columns, rows = _solve_parallax(region.x, region.y, surface.relief, rotation)
    shading = np.dstack([*_slopes(surface.relief), _cavities(surface.relief), surface.hair])
    albedo = np.dstack([surface.albedo, surface.eyes])
    minification = PIXELS_PER_UNIT / placement.pixels_per_unit
    if minification > 1:  # else fine texture would alias
        albedo = cv2.GaussianBlur(albedo, (0, 0), 0.4 * minification)
    shading = cv2.remap(shading, columns, rows, cv2.INTER_LINEAR)
    albedo = cv2.remap(albedo, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(surface.cover, columns, rows, cv2.INTER_LINEAR)
    cover = cv2.GaussianBlur(cover, (0, 0), max(0.3, 0.53 * placement.pixels_per_unit / 64))
    region.blend(_shade(albedo, shading, rotation, light), cover)


def _solve_parallax(
    x: np.ndarray, y: np.ndarray, relief: np.ndarray, rotation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each image point, the face-grid column and row that is seen there, by fixed-point iteration."""
    inverse = np.linalg.inv(rotation[:2, :2]).astype(np.float32)
    shift_x, shift_y = (inverse @ rotation[:2, 2]).astype(np.float32)
    flat_x = inverse[0, 0] * x + inverse[0, 1] * y + shift_x * np.float32(TURNING_DEPTH)
    flat_y = inverse[1, 0] * x + inverse[1, 1] * y + shift_y * np.float32(TURNING_DEPTH)
    smooth = blur(relief, 0.0083)
    height = np.zeros(flat_x.shape, np.float32)
    face_x, face_y = flat_x, flat_y
    for step in range(_PARALLAX_STEPS):
        weight = np.float32(0.65 if step else 1.0)
        face_x = face_x + weight * (flat_x - shift_x * height - face_x)
        face_y = face_y + weight * (flat_y - shift_y * height - face_y)
        height = cv2.remap(smooth, grid_columns(face_x), grid_rows(face_y), cv2.INTER_LINEAR)
    return grid_columns(face_x), grid_rows(face_y)


def _slopes(relief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the relief along x and y."""
    smooth = blur(relief, 0.01)
    scale = PIXELS_PER_UNIT / 8
    return (
        cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=scale),
        cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=scale),
    )


def _cavities(relief: np.ndarray) -> np.ndarray:
    """Hollows (negative) are darker, ridges lighter: a stand-in for ambient occlusion at two scales."""
    wide = np.clip((relief - blur(relief, 0.083)) * np.float32(2.2), -0.45, 0.22)
    return wide + np.clip((relief - blur(relief, 0.029)) * 3, -0.3, 0.15)


def _shade(albedo: np.ndarray, shading: np.ndarray, rotation: np.ndarray, light: Light) -> np.ndarray:
    """RGB of lit skin, hair and eyes: hemispheric and diffuse light, gloss, light under the skin."""
    skin, eyes = albedo[..., :3], albedo[..., 3]
    slope_x, slope_y, cavity, hair = (shading[..., channel] for channel in range(4))
    length = np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)

    def normal_along(direction: np.ndarray) -> np.ndarray:
        turned = rotation.T @ direction
        return (turned[2] - turned[0] * slope_x - turned[1] * slope_y) / length

    towards_light = normal_along(light.direction)
    diffuse = np.clip((towards_light + 0.25) / 1.25, 0, 1)
    hemisphere = 0.5 - 0.5 * normal_along(np.array([0, 1, 0], np.float32))
    ambient = np.float32(light.ambient)
    shade = (ambient * (0.65 + 0.45 * hemisphere) + (1.12 - ambient) * diffuse) * (1 + cavity)
    glossy = np.clip(normal_along(light.half_way), 0, 1)
    squared = glossy * glossy
    fourth = squared * squared
    tenth = fourth * fourth * squared
    gloss = 0.16 * (1 - hair) * (tenth * tenth * squared) + 0.10 * hair * tenth
    colour = skin * shade[..., None] * _WARMTH
    under_skin = np.clip(0.3 - np.abs(towards_light - 0.1), 0, 0.3) * 0.25 * (1 - hair)
    colour[..., 0] += skin[..., 0] * under_skin
    colour += (255 * 0.7 * gloss)[..., None]
    lit_eyes = skin * (0.45 + 0.6 * np.clip(shade, 0, 1.2))[..., None]
    return np.asarray(colour + eyes[..., None] * (lit_eyes - colour), dtype=np.float32)


def face_box(head: Head, pose: Pose, placement: Placement) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the face from hairline to chin, in pixels of the whole photograph."""
    outline = head.outline
    y = np.linspace(-0.80, outline.bottom_y, 24, dtype=np.float32)
    widths = outline.widths(y)
    heights = outline.dome(y, np.zeros_like(y))
    middle = np.stack([np.zeros_like(y), y, heights * 0.9 - TURNING_DEPTH], axis=1)
    sides = [np.stack([side * 0.93 * widths, y, heights * 0.35 - TURNING_DEPTH], axis=1) for side in (-1, 1)]
    points = np.concatenate([middle, *sides]) @ pose.matrix().T
    x = points[:, 0] * placement.pixels_per_unit + placement.center_x
    y = points[:, 1] * placement.pixels_per_unit + placement.center_y
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
