"""The tables of the face stage: one row a photograph, and one a face that was found in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.face_choice import FaceChoice
from preprocessing.face_detection import LANDMARK_NAMES
from preprocessing.face_folder import Photograph
from src.artifacts.sources import SOURCE_FIELDS, SourceRecord
from src.core.stage import DONE, FAILED

MANIFEST_SCHEMA = pa.schema(
    [
        *SOURCE_FIELDS,
        ("status", pa.string()),
        ("reason", pa.string()),
        ("output", pa.string()),
        ("width_pixels", pa.int32()),
        ("height_pixels", pa.int32()),
        ("face_count", pa.int32()),
    ]
)
BOX_COLUMNS = ("left", "top", "right", "bottom")
LANDMARK_COLUMNS = tuple(f"{name}_{axis}" for name in LANDMARK_NAMES for axis in "xy")
_MEASURES = ("probability", "sharpness", "yaw_degrees", "pitch_degrees", "roll_degrees")
DETECTION_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("face_index", pa.int32()),
        *((name, pa.float32()) for name in (*BOX_COLUMNS, *LANDMARK_COLUMNS, *_MEASURES)),
        ("cluster", pa.int32()),
        ("chosen", pa.bool_()),
        ("choice_reason", pa.string()),
    ]
)


def manifest_row(
    record: SourceRecord, photograph: Photograph | None = None, *, reason: str = "", output: str = ""
) -> dict[str, Any]:
    """The row of a source; `photograph` is None where it could not be read."""
    seen = {}
    if photograph is not None:
        seen = {
            "width_pixels": photograph.width_pixels,
            "height_pixels": photograph.height_pixels,
            "face_count": len(photograph.faces),
        }
    status = FAILED if reason else DONE
    return {**asdict(record), "status": status, "reason": reason, "output": output, **seen}


def lost_face_rows(records: Sequence[SourceRecord], reason: str) -> pa.Table:
    """Manifest rows of photographs over which the worker was lost."""
    return pa.Table.from_pylist(
        [manifest_row(record, reason=reason) for record in records], schema=MANIFEST_SCHEMA
    )


def detection_rows(photograph: Photograph, choices: Sequence[FaceChoice]) -> list[dict[str, Any]]:
    """The rows of a photograph's faces; boxes and landmarks in pixels of the full image."""
    scale = np.array(photograph.scale)
    return [
        {
            "key": photograph.record.key,
            "face_index": index,
            **dict(zip(BOX_COLUMNS, _scaled(face.detection.box, scale), strict=True)),
            **dict(zip(LANDMARK_COLUMNS, _scaled(face.detection.landmarks, scale), strict=True)),
            "probability": face.detection.probability,
            "sharpness": face.sharpness,
            "yaw_degrees": face.yaw_degrees,
            "pitch_degrees": face.pitch_degrees,
            "roll_degrees": face.roll_degrees,
            "cluster": choice.cluster,
            "chosen": choice.chosen,
            "choice_reason": choice.reason,
        }
        for index, (face, choice) in enumerate(zip(photograph.faces, choices, strict=True))
    ]


def _scaled(points: Any, scale: np.ndarray) -> list[float]:
    """Numbers x, y, x, y, … in pixels of the full image."""
    values: list[float] = (np.asarray(points, np.float64).reshape(-1, 2) * scale).reshape(-1).tolist()
    return values
