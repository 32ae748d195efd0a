"""Faces found and false boxes, on photographs that a person looked at and on backgrounds without anybody."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.face_pictures import draw_backgrounds
from benchmarks.results_file import ROOT
from preprocessing.face_detection import FaceDetection, FaceDetector
from src.core.errors import DatasetError
from src.media.image import read_image

TRUTH = ROOT / "benchmarks/truth/shared_faces.csv"
BOX = ["left", "top", "right", "bottom"]
SMALLEST_OVERLAP = 0.3  # the truth's boxes are rough
HINT = "hint"  # a sliver of a head without features: neither asked for nor held against a detector
BACKGROUNDS = 200


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair of boxes, (n, 4) and (m, 4) → (n, m)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(far - corner, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def boxes_of(faces: Sequence[FaceDetection], size: tuple[int, int] | None = None) -> np.ndarray:
    """Boxes (n, 4), cut at the border of an image of `size` (height, width) where it is given."""
    boxes = np.array([face.box for face in faces], dtype=np.float64).reshape(-1, 4)
    return boxes if size is None else boxes.clip(0, [size[1], size[0]] * 2)


def matches(truth: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Whether each box (m, 4) shows each true face (n, 4): its centre lies in it, and they overlap enough; bool (n, m)."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (centres[None] >= truth[:, None, :2]) & (centres[None] <= truth[:, None, 2:])
    return np.asarray(inside.all(axis=2) & (overlap(truth, boxes) >= SMALLEST_OVERLAP))


def read_truth(photographs: Path) -> pd.DataFrame:
    """The truth of the photographs below a folder: image, BOX, visibility.

    Raises DatasetError where a photograph of the truth is absent.
    """
    truth = pd.read_csv(TRUTH)
    absent = [name for name in truth["image"].unique() if not (photographs / name).is_file()]
    if absent:
        raise DatasetError(
            f"{photographs}: {len(absent)} photographs of {TRUTH.name} are not there, the first is {absent[0]}. "
            "Name the folder that holds them: make bench-faces FACE_DATA=FOLDER"
        )
    return truth


def measure_recall(detector: FaceDetector, photographs: Path, smallest_probability: float) -> dict[str, Any]:
    """Faces found among those of the truth, and boxes that show none, all and those which may be chosen."""
    faces = found = false_boxes = certain_false_boxes = 0
    missed: list[dict[str, Any]] = []
    for name, rows in read_truth(photographs).groupby("image"):
        pixels = read_image(photographs / str(name))
        detected = detector.detect([pixels])[0]
        hits = matches(rows[BOX].to_numpy(np.float64), boxes_of(detected, pixels.shape[:2]))
        asked = rows["visibility"].to_numpy() != HINT
        faces += int(asked.sum())
        found += int(hits[asked].any(axis=1).sum())
        missed += rows[asked & ~hits.any(axis=1)].to_dict("records")
        certain = np.array([face.probability >= smallest_probability for face in detected], dtype=bool)
        false_boxes += int((~hits.any(axis=0)).sum())
        certain_false_boxes += int((~hits.any(axis=0) & certain).sum())
    return {
        "faces": faces,
        "found": found,
        "missed": missed,
        "false_boxes": false_boxes,
        "certain_false_boxes": certain_false_boxes,
    }


def measure_backgrounds(detector: FaceDetector, smallest_probability: float) -> dict[str, Any]:
    """Boxes on drawn backgrounds without anybody."""
    found = [face for faces in detector.detect(draw_backgrounds(BACKGROUNDS)) for face in faces]
    certain = sum(face.probability >= smallest_probability for face in found)
    return {"images": BACKGROUNDS, "boxes": len(found), "certain_boxes": certain}
