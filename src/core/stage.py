"""The stage runner: map records to tables, a part at a time, in worker processes.

A part is the unit of commit, of resuming and of parallel work. A worker turns the records of one part
into Parquet tables; every table of a part is written under a temporary name and renamed, the `manifest`
table last. A part whose manifest is there with the fingerprint of the same records and settings is done
and is not run again, so a killed run goes on where it stopped.

What cannot be processed is a row with `status` "failed" and a `reason`; it never ends the run.
"""

import hashlib
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from src.core.files import atomic_path
from src.core.progress import progress_bar

Record = TypeVar("Record")
PartTables = Mapping[str, pa.Table]
PartWorker = Callable[[Sequence[Record]], PartTables]

COMMIT_TABLE = "manifest"
DONE, FAILED = "done", "failed"
_FINGERPRINT = b"voxface.part_fingerprint"
_PRELOADED_MODULES = ["torch", "numpy", "scipy.signal", "pyarrow.parquet", "cv2", "soundfile", "numba"]


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Record]):
    """One stage over one list of parts.

    name: what the progress bar and the closing line call it.
    folder: where `<table>/part-00000.parquet` files go.
    parts: records of each part; their order is the order of the output.
    make_worker: called once in each process; returns the function that processes one part's records.
        It and the records are pickled, so both are made of module-level things.
    settings: everything that decides the output besides the records; a change reruns all parts.
    unit: what one record is, in the progress bar.
    """

    name: str
    folder: Path
    parts: Sequence[Sequence[Record]]
    make_worker: Callable[[], PartWorker[Record]]
    settings: Mapping[str, Any]
    unit: str = "file"


@dataclass(kw_only=True)
class StageSummary:
    """Counts of a finished stage; `reused` rows were already there."""

    name: str
    done: int = 0
    reused: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """Number of failed rows."""
        return sum(self.failures.values())

    @property
    def failure_share(self) -> float:
        """Failed rows over all rows, 0 for an empty stage."""
        total = self.done + self.failed
        return self.failed / total if total else 0.0

    def line(self) -> str:
        """The closing line: counts, and why rows failed."""
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.failures.most_common())
        resumed = f" ({self.reused} of all were already there)" if self.reused else ""
        return f"{self.name}: {self.done} done, {self.failed} failed{f' ({reasons})' if reasons else ''}{resumed}"


def run_stage(stage: Stage[Record], workers: int = 0) -> StageSummary:
    """Run all parts that are not done yet and remove what a former, longer run left behind.

    workers: number of processes; 0 takes one a core; 1 runs in this process.
    """
    pending: dict[int, Sequence[Record]] = {}
    summary = StageSummary(name=stage.name)
    fingerprints = [_fingerprint(records, stage.settings) for records in stage.parts]
    for index, records in enumerate(stage.parts):
        if _is_committed(stage.folder, index, fingerprints[index]):
            _count(summary, pq.read_table(_part_path(stage.folder, COMMIT_TABLE, index)), reused=True)
        else:
            pending[index] = records
    _remove_stale_parts(stage.folder, len(stage.parts))
    total = sum(len(records) for records in stage.parts)
    with progress_bar(total=total, description=stage.name, unit=stage.unit) as bar:
        bar.update(summary.reused)
        for index, tables in _results(stage.make_worker, pending, workers):
            _commit(stage.folder, index, tables, fingerprints[index])
            _count(summary, tables[COMMIT_TABLE], reused=False)
            bar.update(len(stage.parts[index]))
    return summary


def split_into_parts(groups: Iterable[Sequence[Record]], part_size: int) -> list[list[Record]]:
    """Fill parts with whole groups until each holds at least `part_size` records.

    A group (say, all recordings of one video) is never cut, since a worker looks at it as one.
    """
    parts: list[list[Record]] = []
    current: list[Record] = []
    for group in groups:
        current.extend(group)
        if len(current) >= part_size:
            parts.append(current)
            current = []
    if current:
        parts.append(current)
    return parts


def read_parts(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All parts of one table folder, in part order."""
    paths = sorted(folder.glob("part-*.parquet"))
    if not paths:
        raise FileNotFoundError(folder)
    return pa.concat_tables([pq.read_table(path, columns=columns) for path in paths])


def _part_path(folder: Path, table: str, index: int) -> Path:
    return folder / table / f"part-{index:05d}.parquet"


def _fingerprint(records: Sequence[Record], settings: Mapping[str, Any]) -> bytes:
    content = json.dumps(settings, sort_keys=True, default=str) + "\n".join(
        repr(record) for record in records
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest().encode("ascii")


def _is_committed(folder: Path, index: int, fingerprint: bytes) -> bool:
    path = _part_path(folder, COMMIT_TABLE, index)
    if not path.is_file():
        return False
    metadata = pq.read_schema(path).metadata or {}
    return bool(metadata.get(_FINGERPRINT) == fingerprint)


def _remove_stale_parts(folder: Path, part_count: int) -> None:
    for path in folder.glob("*/part-*.parquet"):
        if int(path.stem.removeprefix("part-")) >= part_count:
            path.unlink()


def _commit(folder: Path, index: int, tables: PartTables, fingerprint: bytes) -> None:
    names = sorted(tables, key=lambda name: name == COMMIT_TABLE)
    for name in names:
        table = tables[name]
        metadata = {**(table.schema.metadata or {}), _FINGERPRINT: fingerprint}
        with atomic_path(_part_path(folder, name, index)) as temporary:
            pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _count(summary: StageSummary, manifest: pa.Table, *, reused: bool) -> None:
    statuses, reasons = manifest["status"].to_pylist(), manifest["reason"].to_pylist()
    for status, reason in zip(statuses, reasons, strict=True):
        if status == FAILED:
            summary.failures[reason] += 1
        else:
            summary.done += 1
        summary.reused += reused


def _results(
    make_worker: Callable[[], PartWorker[Record]], pending: Mapping[int, Sequence[Record]], workers: int
) -> Iterator[tuple[int, PartTables]]:
    """Tables of each pending part, in the order in which they become ready."""
    cores = len(os.sched_getaffinity(0))
    processes = min(workers or cores, len(pending))
    if processes <= 1:
        if pending:
            worker = make_worker()
            for index, records in pending.items():
                yield index, worker(records)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED_MODULES)
    with ProcessPoolExecutor(
        processes,
        mp_context=context,
        initializer=_start_worker,
        initargs=(make_worker, max(1, cores // processes)),
    ) as pool:
        waiting: dict[Future[PartTables], int] = {}
        queue = iter(pending.items())
        try:
            for _ in range(2 * processes):
                _submit_next(pool, queue, waiting)
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), future.result()
                    _submit_next(pool, queue, waiting)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _submit_next(
    pool: ProcessPoolExecutor,
    queue: Iterator[tuple[int, Sequence[Any]]],
    waiting: dict[Future[PartTables], int],
) -> None:
    for index, records in queue:
        waiting[pool.submit(_run_part, records)] = index
        return


_process_worker: PartWorker[Any] | None = None


def _start_worker(make_worker: Callable[[], PartWorker[Any]], threads: int) -> None:
    global _process_worker
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    _process_worker = make_worker()


def _run_part(records: Sequence[Any]) -> PartTables:
    assert _process_worker is not None, "the pool's initializer makes the worker"
    return _process_worker(records)
