"""The face stage: photographs in, one crop of the right person each out, every decision recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_choice import FaceChoice, choose_face
from preprocessing.face_crop import crop_face
from preprocessing.face_detection import LANDMARK_NAMES, FaceDetection, FaceDetector
from preprocessing.face_settings import FaceSettings
from src.artifacts.sources import SOURCE_FIELDS, SourceRecord, output_path
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.stage import DONE, FAILED, PartTables, PartWorker
from src.media.image import read_image, write_jpeg

FACE_FOLDER = "face"
CROPS_FOLDER = "face/crops"
NO_FACE = "no_face"

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
DETECTION_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("face_index", pa.int32()),
        *((name, pa.float32()) for name in (*BOX_COLUMNS, *LANDMARK_COLUMNS, "probability")),
        ("chosen", pa.bool_()),
        ("choice_reason", pa.string()),
    ]
)
_BLOCK_PIXELS = 24_000_000  # decoded images that are held at once: 72 MB


@dataclass(frozen=True)
class _Photograph:
    record: SourceRecord
    pixels: np.ndarray


def make_face_worker(
    settings: FaceSettings, dataset: Path, work: Path, device: str
) -> PartWorker[SourceRecord]:
    """The worker of the face stage, with its detector loaded; called once in each process."""
    return FaceWorker(settings, dataset, work, MtcnnDetector(settings, choose_device(device)))


class FaceWorker:
    """Turns the face records of one part into the tables `manifest` and `detections`, and writes crops."""

    def __init__(self, settings: FaceSettings, dataset: Path, work: Path, detector: FaceDetector) -> None:
        self.settings = settings
        self.dataset = dataset
        self.work = work
        self.detector = detector

    def __call__(self, records: Sequence[SourceRecord]) -> PartTables:
        """Process one part; a photograph that cannot be used becomes a row with its reason."""
        rows: dict[str, dict[str, Any]] = {}
        detections: dict[str, list[dict[str, Any]]] = {}
        for block in self._blocks(records, rows):
            faces_of_block = self.detector.detect([photograph.pixels for photograph in block])
            for photograph, faces in zip(block, faces_of_block, strict=True):
                key = photograph.record.key
                rows[key], detections[key] = self._decide(photograph, faces)
        keys = [record.key for record in records]
        return {
            "manifest": pa.Table.from_pylist([rows[key] for key in keys], schema=MANIFEST_SCHEMA),
            "detections": pa.Table.from_pylist(
                [row for key in keys for row in detections.get(key, [])], schema=DETECTION_SCHEMA
            ),
        }

    def _blocks(
        self, records: Sequence[SourceRecord], rows: dict[str, dict[str, Any]]
    ) -> Iterator[list[_Photograph]]:
        """Decoded photographs, as many at a time as memory allows; unreadable ones go to `rows`."""
        block: list[_Photograph] = []
        for record in records:
            try:
                pixels = read_image(self.dataset / record.key)
            except MediaError as error:
                rows[record.key] = _manifest_row(record, reason=error.reason)
                continue
            block.append(_Photograph(record, pixels))
            if sum(photograph.pixels.size // 3 for photograph in block) >= _BLOCK_PIXELS:
                yield block
                block = []
        if block:
            yield block

    def _decide(
        self, photograph: _Photograph, faces: Sequence[FaceDetection]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Choose a face, write its crop; the manifest row, and the detection rows."""
        record, pixels = photograph.record, photograph.pixels
        height, width = pixels.shape[:2]
        choices = choose_face(faces, (height, width), self.settings)
        detections = [
            _detection_row(record.key, index, face, choice)
            for index, (face, choice) in enumerate(zip(faces, choices, strict=True))
        ]
        seen = {"width_pixels": width, "height_pixels": height, "face_count": len(faces)}
        chosen = next((face for face, choice in zip(faces, choices, strict=True) if choice.chosen), None)
        if chosen is None:
            return _manifest_row(record, reason=NO_FACE, **seen), detections
        output = output_path(CROPS_FOLDER, record.key, ".jpg")
        crop = crop_face(pixels, chosen, self.settings.crop_margin, self.settings.crop_side_pixels)
        write_jpeg(self.work / output, crop, self.settings.jpeg_quality)
        return _manifest_row(record, output=output, **seen), detections


def _manifest_row(record: SourceRecord, *, reason: str = "", output: str = "", **seen: int) -> dict[str, Any]:
    status = FAILED if reason else DONE
    return {**asdict(record), "status": status, "reason": reason, "output": output, **seen}


def _detection_row(key: str, index: int, face: FaceDetection, choice: FaceChoice) -> dict[str, Any]:
    return {
        "key": key,
        "face_index": index,
        **dict(zip(BOX_COLUMNS, face.box, strict=True)),
        **dict(zip(LANDMARK_COLUMNS, face.landmarks.reshape(-1).tolist(), strict=True)),
        "probability": face.probability,
        "chosen": choice.chosen,
        "choice_reason": choice.reason,
    }
