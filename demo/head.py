"""A head: what is constant is computed once an identity, an expression moves only small windows of it."""

from dataclasses import dataclass

import numpy as np

from demo.face_description import Expression, FaceDescription
from demo.face_features import paint_brow, paint_eye, paint_mouth
from demo.face_grid import PIXELS_PER_UNIT, WHOLE_GRID, blur, smooth_noise, smooth_step
from demo.face_palette import hair_colour, skin_colour
from demo.hair import grow_hair, hair_thickness
from demo.head_geometry import head_outline, measure, mouth_relief, resting_relief, shape_mouth
from demo.skin import paint_skin


@dataclass(frozen=True, kw_only=True)
class HeadSurface:
    """A head in an expression, over the whole face grid, float32.

    relief: height, (height, width). albedo: RGB 0 to 255, (height, width, 3).
    cover: 1 where the head is. hair, eyes: where they are, 0 to 1. All (height, width).
    """

    relief: np.ndarray
    albedo: np.ndarray
    cover: np.ndarray
    hair: np.ndarray
    eyes: np.ndarray


class Head:
    """The head of one person, ready to be put into expressions."""

    def __init__(self, face: FaceDescription) -> None:
        self.face = face
        self.measures = measure(face)
        self.outline = head_outline(self.measures)
        self.skin_rgb = skin_colour(face.skin_tone)
        self.hair_rgb = hair_colour(face.hair_colour, face.age_years)
        self.hair_thickness = hair_thickness(face)
        stream = np.random.default_rng(face.texture_seed)
        grid = WHOLE_GRID
        relative_x = np.abs(grid.x) / self.outline.widths(grid.y)
        within = (grid.y > self.outline.top_y) & (grid.y < self.outline.bottom_y)
        inside = ((1 - smooth_step(0.985, 1.0, relative_x)) * within).astype(np.float32)
        relief = resting_relief(face, self.measures, self.outline, relative_x)
        self._skin, beard_relief = paint_skin(face, self.measures, relative_x, self.hair_rgb, stream)
        relief += beard_relief
        overlay = grow_hair(face, self.measures, self.outline, inside, relative_x, self.hair_rgb, stream)
        soft_hair = blur(overlay.hair, 0.018)
        relief = np.where(inside > 0.5, relief, overlay.cap_relief * (overlay.cap > 0.02))
        self._relief = relief + soft_hair * (np.maximum(relief, overlay.cap_relief) - relief)
        self._albedo = self._skin * overlay.transmission + overlay.addition
        self._bare = 1 - soft_hair
        self._overlay = overlay
        self._cover = np.clip(inside + overlay.cap, 0, 1)
        self._iris_noise = smooth_noise(stream, grid.shape, 3)
        self._brow_noise = smooth_noise(stream, grid.shape, PIXELS_PER_UNIT / 50)
        self._mouth_window = grid.window(-0.95, 0.95, -0.05, 1.4)
        eye_top, eye_bottom = self.measures.brow_y - 0.28, self.measures.eye_y + 0.3
        self._eye_windows = {
            -1: grid.window(-0.85, 0.0, eye_top, eye_bottom),
            1: grid.window(0.0, 0.85, eye_top, eye_bottom),
        }

    @property
    def strands(self) -> np.ndarray:
        """Texture of this person's hair over the face grid."""
        return self._overlay.strands

    def express(self, expression: Expression) -> HeadSurface:
        """The head in an expression."""
        relief, albedo = self._relief.copy(), self._albedo.copy()
        eyes = np.zeros(WHOLE_GRID.shape, np.float32)
        grid = self._mouth_window
        mouth = shape_mouth(grid, self.measures, expression)
        moved = mouth_relief(grid, self.face, self.measures, mouth, expression)
        grid.cut(relief)[...] += moved * grid.cut(self._bare)
        skin = grid.cut(self._skin).copy()
        paint_mouth(skin, grid, mouth, self.face.lipstick, self.skin_rgb)
        grid.cut(albedo)[...] = self._cover_skin(skin, grid.rows, grid.columns)
        for side, window in self._eye_windows.items():
            skin = window.cut(self._skin).copy()
            iris_noise, brow_noise = window.cut(self._iris_noise), window.cut(self._brow_noise)
            mask = paint_eye(skin, window, side, self.face, self.measures, expression, iris_noise)
            paint_brow(skin, window, side, self.face, self.measures, expression, self.hair_rgb, brow_noise)
            covered = self._overlay.transmission[window.rows, window.columns, 0]
            window.cut(eyes)[...] = mask * covered
            window.cut(albedo)[...] = self._cover_skin(skin, window.rows, window.columns)
        return HeadSurface(
            relief=relief,
            albedo=np.clip(albedo, 0, 255),
            cover=self._cover,
            hair=self._overlay.hair,
            eyes=eyes,
        )

    def _cover_skin(self, skin: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        overlay = self._overlay
        return np.asarray(
            skin * overlay.transmission[rows, columns] + overlay.addition[rows, columns], np.float32
        )
