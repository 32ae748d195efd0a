"""How far the stages of a folder are: read from their logs, journals and locks, while they run and after."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.core.errors import DatasetError
from src.core.output_lock import is_held
from src.core.part_store import JOURNAL_FILE, read_journal
from src.core.run_log import logs_in_order, stage_of

RUNNING, DIED = "running", "died"
_ENDS = {"end": "finished", "stopped": "stopped", "error": "ended by an error"}


@dataclass(frozen=True, kw_only=True)
class StageStatus:
    """One stage.

    state: running, finished, stopped (by Ctrl-C), ended by an error, or died (killed).
    done, failures, pending: rows; failures by reason. unit: what a row is.
    rows_per_second: of the last run; 0 where it finished no part yet. message: of the error.
    """

    name: str
    state: str
    done: int
    failures: dict[str, int]
    pending: int
    rows_per_second: float
    unit: str
    log: Path
    message: str = ""

    @property
    def remaining_seconds(self) -> float | None:
        """At the rate of the last run; None where it is not known, 0 when nothing is left."""
        if not self.pending:
            return 0.0
        return self.pending / self.rows_per_second if self.rows_per_second else None

    def lines(self) -> list[str]:
        """For people."""
        failed = sum(self.failures.values())
        total = self.done + failed + self.pending
        share = (self.done + failed) / total if total else 1.0
        lines = [
            f"{self.name}: {self.state}; {share:.1%} of {total} {self.unit}s: {self.done} done, {failed} failed, "
            f"{self.pending} pending{self._pace()}"
        ]
        lines += [f"  failed, {reason}: {count}" for reason, count in Counter(self.failures).most_common()]
        if self.message:
            lines.append(f"  {self.message}")
        if self.state not in (RUNNING, "finished"):
            lines.append("  run the same command again to go on where it stopped")
        return [*lines, f"  log: {self.log}"]

    def _pace(self) -> str:
        if not self.rows_per_second:
            return ""
        pace = f"; {self.rows_per_second:.1f} {self.unit}s a second"
        remaining = self.remaining_seconds
        return f"{pace}, {_duration(remaining)} remaining" if remaining else pace

    def mapping(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "stage": self.name,
            "state": self.state,
            "done": self.done,
            "failed": sum(self.failures.values()),
            "pending": self.pending,
            "rows_per_second": round(self.rows_per_second, 3),
            "remaining_seconds": self.remaining_seconds,
            "failures": self.failures,
            "message": self.message,
            "log": str(self.log),
        }


def stage_statuses(logs: Path) -> list[StageStatus]:
    """Of each stage that has a log in the folder, by its last run, in the order in which they were begun.

    Raises DatasetError when there is no log.
    """
    latest: dict[str, Path] = {}
    for path in logs_in_order(logs):
        name = stage_of(path)
        latest.pop(name, None)
        latest[name] = path
    statuses = [status for status in map(_status, latest.values()) if status is not None]
    if not statuses:
        raise DatasetError(f"{logs}: no run of a stage has left a log here")
    return statuses


@dataclass
class _Seen:
    """What a log says."""

    start: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0


def _status(log: Path) -> StageStatus | None:
    seen = _read_log(log)
    if not seen.start:
        return None
    folder = Path(seen.start["folder"])
    # a work folder may have been moved with its logs
    folder = folder if folder.is_dir() else log.parent.parent / folder.name
    parts = seen.start["parts"]
    counts = [entry.counts for index, entry in read_journal(folder / JOURNAL_FILE).items() if index < parts]
    failures: Counter[str] = Counter()
    for one in counts:
        failures.update(one.failures)
    done = sum(one.done for one in counts)
    end = _ENDS.get(seen.last.get("event", ""))
    return StageStatus(
        name=seen.start["stage"],
        state=end or (RUNNING if is_held(folder) else DIED),
        done=done,
        failures=dict(sorted(failures.items())),
        pending=max(0, seen.start["rows"] - done - sum(failures.values())),
        rows_per_second=seen.rows / seen.seconds if seen.seconds else 0.0,
        unit=seen.start["unit"],
        log=log,
        message=seen.last.get("message", ""),
    )


def _read_log(path: Path) -> _Seen:
    seen = _Seen()
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:  # a kill cut it off
                continue
            if event["event"] == "start":
                seen.start = event
            elif event["event"] == "part":
                seen.rows += event["rows"]
                seen.seconds = event["elapsed_seconds"]
            seen.last = event
    return seen


def _duration(seconds: float) -> str:
    """Whole seconds in words.

    >>> _duration(59.6), _duration(3725), _duration(190000)
    ('1 min 0 s', '1 h 2 min', '2 d 4 h')
    """
    whole = round(seconds)
    for size, name, smaller, smaller_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {smaller_name}"
    return f"{whole} s"
