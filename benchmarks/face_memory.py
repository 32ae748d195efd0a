"""Memory of the face stage over many images of mixed sizes."""

import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import torch

from benchmarks.face_pictures import write_mixed_files
from benchmarks.process_memory import resident_bytes
from preprocessing.face_settings import FaceSettings
from preprocessing.face_stage import make_face_worker
from src.artifacts.sources import SourceRecord

IMAGES = 10_000
WORKERS = 2
_DISTINCT_FILES = 400
_PART_IMAGES = 100


def measure_memory(photographs: Sequence[Path], images: int, settings: FaceSettings) -> dict[str, Any]:
    """Resident memory of the stage's worker processes after each part of 100 images, in bytes.

    The files repeat; `growth_bytes` is what the last quarter's maximum lies above that of the second.
    """
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        files = write_mixed_files(photographs, dataset / "faces", _DISTINCT_FILES)
        keys = [path.relative_to(dataset).as_posix() for path in files]
        parts = max(4, images // _PART_IMAGES // WORKERS)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(WORKERS, context) as pool:
            courses = list(
                pool.map(_course, *zip(*[(settings, dataset, keys, parts)] * WORKERS, strict=True))
            )
    worst = max(courses, key=growth_bytes)
    return {
        "images": parts * _PART_IMAGES * WORKERS,
        "workers": WORKERS,
        "resident_bytes": worst,
        "peak_bytes": max(map(max, courses)),
        "growth_bytes": growth_bytes(worst),
    }


def growth_bytes(resident_bytes: Sequence[int]) -> int:
    """How far the maximum of the last quarter lies above that of the second one."""
    quarter = len(resident_bytes) // 4
    return max(resident_bytes[-quarter:]) - max(resident_bytes[quarter : 2 * quarter])


def _course(settings: FaceSettings, dataset: Path, keys: Sequence[str], parts: int) -> list[int]:
    """Resident bytes of this process after each part."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    worker = make_face_worker(settings, dataset, dataset.parent / "work", None, None, "cpu")
    resident = []
    for part in range(parts):
        chosen = [keys[(part * _PART_IMAGES + number) % len(keys)] for number in range(_PART_IMAGES)]
        worker([_record(key) for key in chosen])
        resident.append(resident_bytes())
    return resident


def _record(key: str) -> SourceRecord:
    return SourceRecord(
        key=key, modality="face", identity="", language="", video="", split="test", size_bytes=0
    )
