"""The stage runner: map records to tables, a part at a time, by the workers of an engine.

A part is the unit of commit, of resuming and of parallel work. A worker turns the records of one part
into Parquet tables; every table of a part is written under a temporary name and renamed, the `manifest`
table last. A part whose manifest is there with the fingerprint of the same records and settings is done
and is not run again, so a killed run goes on where it stopped.

What cannot be processed is a row with `status` "failed" and a `reason`; it never ends the run.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa

from src.core.determinism import as_here
from src.core.engines.contract import LIBRARIES, Engine, Lost, PartTables, PartWorker
from src.core.engines.local import LocalEngine
from src.core.files import remove_partial_files
from src.core.output_lock import locked_output
from src.core.part_store import (
    COMMIT_TABLE,
    DONE,
    FAILED,
    PartCounts,
    PartStore,
    encoded_settings,
    read_parts,
)
from src.core.progress import progress_bar
from src.core.run_log import RunLog, run_log
from src.core.scheduling import PartScheduler
from src.core.stop_request import Stopped, StopRequest, stop_on_signals
from src.core.table_parts import count_records, fingerprints_of

__all__ = [
    "COMMIT_TABLE",
    "DONE",
    "FAILED",
    "PartTables",
    "PartWorker",
    "Stage",
    "StageSummary",
    "read_parts",
    "run_stage",
    "split_into_parts",
]

LOGGER = logging.getLogger(__name__)
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Record]):
    """One stage over one list of parts.

    name: what the progress bar and the closing line call it.
    folder: where `<table>/part-00000.parquet` files go; one run at a time writes there.
    parts: records of each part; their order is the order of the output.
    make_worker: called once in each worker; returns the function that processes one part's records.
        It and the records are pickled, so both are made of module-level things.
    settings: everything that decides the output besides the records; a change reruns all parts.
    unit: what one record is, in the progress bar.
    lost_rows: manifest rows of records over which the worker was lost, with the reason, in the columns of the manifest.
        None ends the run at such a loss.
    logs: folder of the logs of its runs; None keeps none.
    libraries: what its workers import; loaded once before they are forked.
    """

    name: str
    folder: Path
    parts: Sequence[Sequence[Record]]
    make_worker: Callable[[], PartWorker[Record]]
    settings: Mapping[str, Any]
    unit: str = "file"
    lost_rows: Callable[[Sequence[Record], str], pa.Table] | None = None
    logs: Path | None = None
    libraries: Sequence[str] = LIBRARIES


@dataclass(kw_only=True)
class StageSummary:
    """Counts of a finished stage; `reused` rows were already there. seconds: what the run took; 0 where nothing ran."""

    name: str
    done: int = 0
    reused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    unit: str = "file"

    @property
    def failed(self) -> int:
        """Number of failed rows."""
        return sum(self.failures.values())

    @property
    def failure_share(self) -> float:
        """Failed rows over all rows, 0 for an empty stage."""
        total = self.done + self.failed
        return self.failed / total if total else 0.0

    def add(self, counts: PartCounts, *, reused: bool) -> None:
        """Count a part."""
        self.done += counts.done
        self.failures.update(counts.failures)
        self.reused += counts.rows if reused else 0

    def line(self) -> str:
        """The closing line: counts, why rows failed, and how fast it went."""
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.failures.most_common())
        resumed = f" ({self.reused} of all were already there)" if self.reused else ""
        computed = self.done + self.failed - self.reused
        speed = (
            f"; {computed} in {self.seconds:.1f} s, {computed / self.seconds:.1f} {self.unit}s a second"
            if computed and self.seconds
            else ""
        )
        return f"{self.name}: {self.done} done, {self.failed} failed{f' ({reasons})' if reasons else ''}{resumed}{speed}"


def run_stage(stage: Stage[Record], workers: int = 0, engine: Engine | None = None) -> StageSummary:
    """Run all parts that are not done yet and remove what a former, longer run left behind.

    workers: number of workers; 0 takes as many as the engine has room for. engine: None takes processes of this machine, and
    with one worker this process. The result is the same whatever the engine, the number of workers and their order.

    Raises OutputError when another run writes to the folder, or the disk takes no more; Stopped after Ctrl-C, when the
    parts in hand are finished.
    """
    engine = engine or LocalEngine()
    with locked_output(stage.folder) as was_killed:
        if was_killed and isinstance(engine, LocalEngine):  # perhaps by one of the files
            engine = LocalEngine(isolated=True)
        store = PartStore(stage.folder)
        settings = encoded_settings(stage.settings)
        fingerprints = fingerprints_of(stage.parts, settings)
        summary = StageSummary(name=stage.name, unit=stage.unit)
        pending = _pending(store, fingerprints, summary)
        store.remove_from(len(stage.parts))
        store.tidy()
        if pending:
            with run_log(stage.logs, stage.name, **_description(stage, summary, engine, workers)) as log:
                _run_pending(_Run(stage, store, fingerprints, summary, log), pending, workers, engine)
        store.tidy()
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


@dataclass(frozen=True)
class _Run(Generic[Record]):
    stage: Stage[Record]
    store: PartStore
    fingerprints: Sequence[str]
    summary: StageSummary
    log: RunLog

    def beginning(self, pending: Iterable[int]) -> Iterator[tuple[int, Sequence[Record]]]:
        """Each pending part, when it is begun; what was there of it is no longer valid."""
        for index in pending:
            self.store.invalidate(index)
            yield index, self.stage.parts[index]

    def lost(self, index: int, loss: Lost) -> None:
        """Tell the log of a lost worker."""
        LOGGER.warning("%s: part %d lost its worker (%s)", self.stage.name, index, loss.reason)
        self.log.write("lost", part=index, reason=loss.reason, detail=loss.detail)

    def finish(self, index: int, tables: PartTables) -> int:
        """Commit a part; its number of rows."""
        counts = self.store.commit(index, tables, self.fingerprints[index])
        self.summary.add(counts, reused=False)
        self.log.write("part", part=index, rows=counts.rows, failures=dict(counts.failures))
        return counts.rows

    def end(self, event: str) -> None:
        """Write the closing event."""
        self.summary.seconds = self.log.elapsed_seconds
        self.log.write(
            event,
            done=self.summary.done,
            reused=self.summary.reused,
            failures=dict(sorted(self.summary.failures.items())),
            seconds=round(self.summary.seconds, 3),
        )


def _pending(store: PartStore, fingerprints: Sequence[str], summary: StageSummary) -> list[int]:
    """The parts that have to be run; those that need not be are counted."""
    pending = []
    for index, fingerprint in enumerate(fingerprints):
        counts = store.reusable(index, fingerprint)
        if counts is None:
            pending.append(index)
        else:
            summary.add(counts, reused=True)
    return pending


def _description(stage: Stage[Any], summary: StageSummary, engine: Engine, workers: int) -> dict[str, Any]:
    return {
        "folder": str(stage.folder.resolve()),
        "parts": len(stage.parts),
        "rows": count_records(stage.parts),
        "reused": summary.reused,
        "unit": stage.unit,
        "workers": workers,
        **engine.description(),
    }


def _run_pending(run: _Run[Record], pending: Sequence[int], workers: int, engine: Engine) -> None:
    total = count_records(run.stage.parts)
    losses: list[int] = []

    def lost(index: int, loss: Lost) -> None:
        losses.append(index)
        run.lost(index, loss)

    with (
        stop_on_signals("the parts in hand") as stop,
        progress_bar(
            total=total, initial=run.summary.reused, description=run.stage.name, unit=run.stage.unit
        ) as bar,
    ):
        pool = engine.open(as_here(run.stage.make_worker), workers, len(pending), run.stage.libraries)
        orderly = False
        try:
            scheduler = PartScheduler(pool, run.beginning(pending), stop, run.stage.lost_rows, lost)
            for index, tables in scheduler.results():
                bar.update(run.finish(index, tables))
            orderly = True
        finally:
            pool.close(at_once=not orderly)
            if losses or not orderly:
                remove_partial_files(run.stage.folder)
    _end(run, stop, total)


def _end(run: _Run[Any], stop: StopRequest, total: int) -> None:
    finished = run.summary.done + run.summary.failed
    if stop.requested and finished < total:
        run.end("stopped")
        run.store.tidy()
        raise Stopped(f"{run.stage.name}: {finished} of {total} {run.stage.unit}s are finished")
    run.end("end")
