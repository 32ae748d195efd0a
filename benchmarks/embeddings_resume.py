"""What resuming costs and changes: a store that lost a part of its parts, finished again, byte by byte beside the whole."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.__main__ import main as embed
from features.extraction import PART_SIZES
from src.artifacts.sources import MODALITIES, SourceRecord
from src.core.files import write_json
from src.core.stage import DONE
from src.media.audio import write_audio

_RECORDINGS = 8 * PART_SIZES["voice"]
_SAMPLES = 24_000
_WORKERS = 0  # one a core


def measure_resuming(recordings: Sequence[np.ndarray]) -> dict[str, Any]:
    """Embed short recordings with the embedded encoder, take every second part away, go on, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_work(folder / "work", recordings)
        whole_seconds = _embed(folder / "work", folder / "whole")
        shutil.copytree(folder / "whole", folder / "resumed")
        lost = sorted((folder / "resumed").rglob("manifest/part-*.parquet"))[::2]
        for path in lost:
            path.unlink()
        kept = _times(folder / "resumed")
        seconds = _embed(folder / "work", folder / "resumed")
        again = _times(folder / "resumed")
        return {
            "parts": len(list((folder / "whole").rglob("manifest/part-*.parquet"))),
            "lost": len(lost),
            "recomputed_needlessly": sum(again[path] != kept[path] for path in kept),
            "identical": _contents(folder / "resumed") == _contents(folder / "whole"),
            "whole_seconds": whole_seconds,
            "resumed_seconds": seconds,
            "nothing_to_do_seconds": _embed(folder / "work", folder / "resumed"),
        }


def _write_work(work: Path, recordings: Sequence[np.ndarray]) -> None:
    rows = []
    for number in range(_RECORDINGS):
        output = f"{number:04d}.wav"
        write_audio(work / output, np.resize(recordings[number % len(recordings)], _SAMPLES + number))
        source = SourceRecord(
            key=output, modality="voice", identity="", language="", video="", split="test", size_bytes=0
        )
        rows.append({**asdict(source), "status": DONE, "reason": "", "output": output})
    (work / "voice" / "manifest").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), work / "voice" / "manifest" / "part-00000.parquet")
    write_json(work / "preprocessing.json", {"generated_world": True, "stages": {"voice": {"settings": {}}}})


def _embed(work: Path, out: Path) -> float:
    started = time.perf_counter()
    arguments = [str(work), "--out", str(out), "--modality", "voice", "--device", "cpu"]
    embed([*arguments, "--workers", str(_WORKERS)])
    return time.perf_counter() - started


def _times(folder: Path) -> dict[Path, int]:
    """When the vectors of each committed part were written."""
    committed = (folder / "voice" / "manifest").glob("part-*.parquet")
    tokens = [folder / "voice" / "tokens" / path.name for path in committed]
    return {path: path.stat().st_mtime_ns for path in tokens}


def _contents(folder: Path) -> dict[Path, bytes]:
    stores = [folder / modality for modality in MODALITIES]
    files = [path for store in stores for path in store.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}
