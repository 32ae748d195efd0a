"""Scan, resume decision and status over millions of files. The files are names that share a few empty contents."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.process_memory import peak_bytes
from benchmarks.results_file import ROOT
from preprocessing.__main__ import PART_SIZES
from preprocessing.scan import scan_dataset
from preprocessing.stage_parts import parts_for_stage
from src.artifacts.sources import write_sources
from src.core.part_store import (
    JOURNAL_FILE,
    PartStore,
    encoded_settings,
    part_path,
)
from src.core.run_log import run_log
from src.core.run_status import stage_statuses
from src.core.table_parts import fingerprints_of

ROWS = 5_000_000
_FILES_A_VIDEO, _VIDEOS_A_PERSON = 25, 40
_MOST_LINKS = 30_000


def measure_manifest(folder: Path, rows: int = ROWS) -> dict[str, Any]:
    """Make the names here; measure in a process of its own, whose peak is then that of the program."""
    made_seconds = make_names(folder / "dataset", rows)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.large_manifest", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {"rows": rows, "making_seconds": made_seconds, **json.loads(done.stdout.splitlines()[-1])}


def make_names(dataset: Path, rows: int) -> float:
    """Hard links in the layout of VoxCeleb; the seconds that it took."""
    started = time.perf_counter()
    dataset.mkdir(parents=True)
    number = 0
    content = ""
    for person in range(rows // (_FILES_A_VIDEO * _VIDEOS_A_PERSON) + 1):
        for video in range(_VIDEOS_A_PERSON):
            if number >= rows:
                break
            folder = f"{dataset}/wav/id{10000 + person}/video{video:06d}"
            os.makedirs(folder)  # noqa: PTH103 - millions of names, and no objects
            for file in range(min(_FILES_A_VIDEO, rows - number)):
                if number % _MOST_LINKS == 0:
                    content = f"{dataset}/.content{number}"
                    with open(content, "wb"):  # noqa: PTH123
                        pass
                os.link(content, f"{folder}/{file:05d}.wav")
                number += 1
    return round(time.perf_counter() - started, 1)


def measure(folder: Path) -> dict[str, Any]:
    """Seconds of each step and the peak of memory, in this process."""
    bare_seconds = bare_walk_seconds(folder / "dataset")
    seconds: dict[str, float] = {}
    clock = _Clock(seconds)
    scan = scan_dataset(folder / "dataset")
    lines, summary = scan.lines(), scan.summary()
    clock.lap("scan")
    work = folder / "work"
    write_sources(work / "sources.parquet", scan.records)
    clock.lap("writing sources.parquet")
    parts = parts_for_stage(scan.of("voice"), PART_SIZES["voice"])
    clock.lap("grouping into parts")
    settings = encoded_settings({"diarizer": "embedded"})
    fingerprints = fingerprints_of(parts, settings)
    clock.lap("fingerprints")
    _pretend_done(work / "voice", parts, fingerprints)
    with run_log(
        work / "logs",
        "voices",
        folder=str(work / "voice"),
        parts=len(parts),
        rows=sum(map(len, parts)),
        unit="file",
    ) as log:
        log.write("part", part=0, rows=len(parts[0]), failures={})
    clock.skip()
    store = PartStore(work / "voice")
    pending = [index for index, mark in enumerate(fingerprints) if store.reusable(index, mark) is None]
    clock.lap("resume decision")
    status = stage_statuses(work / "logs")[0]
    clock.lap("status")
    return {
        "files": summary["sources"]["voice"],
        "found": lines[0],
        "parts": len(parts),
        "pending_parts": len(pending),
        "status": status.lines()[0],
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "total_seconds": round(sum(seconds.values()), 2),
        "bare_walk_seconds": round(bare_seconds, 2),
        "scan_over_bare_walk": round(seconds["scan"] / bare_seconds, 2),
        "peak_gb": round(peak_bytes() / 1e9, 2),
    }


def bare_walk_seconds(dataset: Path) -> float:
    """What no scan can be quicker than in one process: every folder is listed, and every file asked for its size and time."""
    started = time.perf_counter()
    folders = [str(dataset)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat()
    return time.perf_counter() - started


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        self._seconds[name] = time.perf_counter() - self._last
        self.skip()

    def skip(self) -> None:
        self._last = time.perf_counter()


def _pretend_done(folder: Path, parts: Sequence[Sequence[Any]], fingerprints: list[str]) -> None:
    """A journal in which nine of ten parts are done, and a manifest of each, which nobody need open."""
    store = PartStore(folder)
    rows = pa.table({"status": ["done"], "reason": [""]})
    store.commit(0, {"manifest": rows}, fingerprints[0])
    source = part_path(folder, "manifest", 0)
    lines = []
    for index, fingerprint in enumerate(fingerprints):
        if index % 10 == 9:
            continue
        entry = {"part": index, "fingerprint": fingerprint, "done": len(parts[index]), "failures": {}}
        lines.append(json.dumps(entry))
        if index:
            if index % _MOST_LINKS == 0:
                fresh = part_path(folder, "manifest", index)
                fresh.write_bytes(source.read_bytes())
                source = fresh
            else:
                os.link(source, part_path(folder, "manifest", index))
    (folder / JOURNAL_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
