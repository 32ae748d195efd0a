"""A contact sheet: photographs in a grid with every face that was found, which one is chosen, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src.core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

MOST_PHOTOGRAPHS = 60
# Okabe and Ito, "Color universal design", 2008: told apart by the colour-blind too
CHOSEN_COLOUR, OTHER_COLOUR = "#E69F00", "#56B4E9"
TILE_PIXELS = 240
_COLUMNS = 6
_GAP_PIXELS, _HEAD_PIXELS, _LINE_PIXELS = 10, 64, 13
_MOST_LINES, _LONGEST_LINE = 6, 44
_DOTS_PER_INCH = 100


@dataclass(frozen=True, kw_only=True)
class DrawnFace:
    """One face: box (left, top, right, bottom) and landmarks (n, 2) in pixels of the full image, and what is said of it."""

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    text: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One photograph of a sheet.

    pixels: RGB uint8, at most TILE_PIXELS at its longer side; None where it could not be read.
    scale: what takes pixels of the full image to those.
    caption: lines of text below it, before those of the faces.
    """

    pixels: np.ndarray | None
    scale: float
    caption: tuple[str, ...]
    faces: tuple[DrawnFace, ...]


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """RGB uint8 (height, width, 3) with the longer side brought to TILE_PIXELS."""
    height, width = pixels.shape[:2]
    scale = TILE_PIXELS / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def draw_contact_sheet(path: Path, title: str, tiles: Sequence[Tile]) -> None:
    """Write a PNG of at most MOST_PHOTOGRAPHS tiles."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    columns = max(1, min(_COLUMNS, len(tiles)))
    rows = max(1, -(-len(tiles) // columns))
    caption_pixels = _LINE_PIXELS * max((len(caption_lines(tile)) for tile in tiles), default=1)
    width = columns * (TILE_PIXELS + _GAP_PIXELS) + _GAP_PIXELS
    height = rows * (TILE_PIXELS + caption_pixels + _GAP_PIXELS) + _GAP_PIXELS + _HEAD_PIXELS
    with rc_context({"text.parse_math": False}):  # names may hold dollar signs
        figure = Figure(figsize=(width / _DOTS_PER_INCH, height / _DOTS_PER_INCH), dpi=_DOTS_PER_INCH)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.text(_GAP_PIXELS, 20, title, fontsize=11, va="center", fontweight="bold")
        _draw_legend(axes)
        for place, tile in enumerate(tiles):
            row, column = divmod(place, columns)
            left = _GAP_PIXELS + column * (TILE_PIXELS + _GAP_PIXELS)
            top = _HEAD_PIXELS + row * (TILE_PIXELS + caption_pixels + _GAP_PIXELS)
            _draw_tile(axes, tile, left, top)
        axes.set(xlim=(0, width), ylim=(height, 0))  # last, since every picture moves them
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=_DOTS_PER_INCH, format="png")


def _draw_legend(axes: "Axes") -> None:
    for left, colour, width, text in (
        (_GAP_PIXELS, CHOSEN_COLOUR, 3.0, "chosen"),
        (_GAP_PIXELS + 90, OTHER_COLOUR, 1.2, "found, not chosen"),
    ):
        axes.plot([left, left + 20], [48, 48], color=colour, linewidth=width)
        axes.text(left + 26, 48, text, fontsize=8, va="center")


def caption_lines(tile: Tile) -> list[str]:
    """What stands below a photograph: its caption, and a numbered line for each face, the chosen one first."""
    lines = list(tile.caption) + [f"{number}  {face.text}" for number, face in numbered(tile.faces)]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    return [line if len(line) <= _LONGEST_LINE else f"…{line[1 - _LONGEST_LINE :]}" for line in lines]


def numbered(faces: Sequence[DrawnFace]) -> list[tuple[int, DrawnFace]]:
    """The faces with their numbers from 1, the chosen one first."""
    return list(enumerate(sorted(faces, key=lambda face: not face.chosen), start=1))


def _draw_tile(axes: "Axes", tile: Tile, left: float, top: float) -> None:
    """Draw one photograph with its top left corner at that place, its caption below."""
    from matplotlib.patches import Rectangle

    height, width = tile.pixels.shape[:2] if tile.pixels is not None else (TILE_PIXELS, TILE_PIXELS)
    frame = Rectangle((left, top), width, height, facecolor="#eeeeee", edgecolor="none", zorder=0)
    axes.add_patch(frame)
    if tile.pixels is not None:
        place = (left, left + width, top + height, top)
        axes.imshow(tile.pixels, extent=place, interpolation="nearest", aspect="auto", zorder=1)
    for number, face in reversed(numbered(tile.faces)):
        _draw_face(axes, number, face, tile.scale, frame)
    for line, text in enumerate(caption_lines(tile)):
        axes.text(left, top + height + 9 + line * _LINE_PIXELS, text, fontsize=7, va="center")


def _draw_face(axes: "Axes", number: int, face: DrawnFace, scale: float, frame: "Rectangle") -> None:
    from matplotlib.patches import Rectangle

    colour, width = (CHOSEN_COLOUR, 3.0) if face.chosen else (OTHER_COLOUR, 1.2)
    left, top = frame.get_xy()
    corner = left + face.box[0] * scale, top + face.box[1] * scale
    sides = (face.box[2] - face.box[0]) * scale, (face.box[3] - face.box[1]) * scale
    box = Rectangle(corner, *sides, fill=False, edgecolor=colour, linewidth=width, zorder=2)
    axes.add_patch(box)
    points = face.landmarks * scale + (left, top)
    (dots,) = axes.plot(points[:, 0], points[:, 1], ".", color=colour, markersize=3, zorder=2)
    for artist in (box, dots):
        artist.set_clip_path(frame)
    place = np.clip(corner, (left + 4, top + 6), (left + frame.get_width() - 8, top + frame.get_height() - 6))
    axes.text(
        float(place[0]),
        float(place[1]),
        str(number),
        fontsize=6,
        ha="center",
        va="center",
        zorder=3,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
    )
