"""A photograph: background, a person, perhaps a bystander, and the camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from demo.background import draw_background
from demo.canvas import Canvas, Placement
from demo.face_description import draw_expression
from demo.head import Head
from demo.lighting import draw_light
from demo.portrait import Pose, draw_person, draw_pose, face_box

PHOTOGRAPH_PIXELS = 256

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Sitter:
    """A head and where it is in a photograph."""

    head: Head
    pose: Pose
    placement: Placement

    @property
    def box(self) -> Box:
        """The true face box (left, top, right, bottom) in pixels."""
        return face_box(self.head, self.pose, self.placement)


def pose_alone(head: Head, stream: np.random.Generator) -> Sitter:
    """Somebody near the middle of a photograph."""
    face_share = stream.uniform(0.28, 0.5)
    return Sitter(
        head=head,
        pose=draw_pose(stream),
        placement=Placement(
            center_x=PHOTOGRAPH_PIXELS * (0.5 + stream.normal(0, 0.04)),
            center_y=PHOTOGRAPH_PIXELS * (0.47 + stream.normal(0, 0.03)),
            pixels_per_unit=face_share * PHOTOGRAPH_PIXELS / 2,
        ),
    )


def pose_with_bystander(head: Head, bystander: Head, stream: np.random.Generator) -> tuple[Sitter, Sitter]:
    """Somebody a little off the middle, and a smaller bystander at the other side, mostly free of them."""
    side = 1 if stream.random() < 0.5 else -1
    unit = stream.uniform(0.30, 0.37) * PHOTOGRAPH_PIXELS / 2
    center_x = PHOTOGRAPH_PIXELS * (0.5 + side * stream.uniform(0.09, 0.14))
    center_y = PHOTOGRAPH_PIXELS * (0.47 + stream.normal(0, 0.03))
    other_unit = unit * stream.uniform(0.55, 0.75)
    free_pixels = (center_x if side > 0 else PHOTOGRAPH_PIXELS - center_x) - 1.05 * unit
    nearest, farthest = free_pixels - 0.95 * other_unit, 1.05 * other_unit
    from_border = stream.uniform(min(nearest, farthest), max(nearest, farthest))
    other_x = from_border if side > 0 else PHOTOGRAPH_PIXELS - from_border
    other_y = center_y + PHOTOGRAPH_PIXELS * stream.uniform(-0.10, 0.12)
    return (
        Sitter(
            head=head,
            pose=draw_pose(stream),
            placement=Placement(center_x=center_x, center_y=center_y, pixels_per_unit=unit),
        ),
        Sitter(
            head=bystander,
            pose=draw_pose(stream),
            placement=Placement(center_x=other_x, center_y=other_y, pixels_per_unit=other_unit),
        ),
    )


def take_photograph(
    sitters: Sequence[Sitter],
    stream: np.random.Generator,
    window: tuple[int, int, int, int] | None = None,
) -> np.ndarray:
    """Photograph people, the farthest first; RGB uint8 of shape (height, width, 3).

    window: (left, top, right, bottom) in pixels of the whole photograph to render only a part of it;
    beyond the photograph's border the background is mirrored.
    """
    left, top, right, bottom = window or (0, 0, PHOTOGRAPH_PIXELS, PHOTOGRAPH_PIXELS)
    light = draw_light(stream)
    scene = _cut(draw_background(PHOTOGRAPH_PIXELS, stream), left, top, right, bottom)
    canvas = Canvas(pixels=scene, left=left, top=top)
    for sitter in sitters:
        expression = draw_expression(sitter.head.face, stream)
        draw_person(canvas, sitter.head, expression, sitter.pose, sitter.placement, light, stream)
    return _develop(scene, stream)


def _cut(scene: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    size = PHOTOGRAPH_PIXELS
    outside = max(0, -left, -top, right - size, bottom - size)
    if outside:
        scene = cv2.copyMakeBorder(scene, outside, outside, outside, outside, cv2.BORDER_REFLECT)
    return np.ascontiguousarray(scene[top + outside : bottom + outside, left + outside : right + outside])


def _develop(scene: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Contrast, exposure, white balance, focus and sensor noise of a camera."""
    gamma = float(stream.uniform(0.85, 1.15))
    gain = stream.uniform(0.85, 1.12) * (1 + stream.normal(0, 0.03, 3)) * 255 ** (1 - gamma)
    picture = cv2.pow(np.clip(scene, 0, 255), gamma) * gain.astype(np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), float(stream.uniform(0.3, 1.0)))
    grain = np.float32(stream.uniform(1, 5))
    picture += grain * stream.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)
