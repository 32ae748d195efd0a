"""Which part is given to the workers when, and what becomes of a part that is lost, whatever the engine.

A part over which a worker is lost is tried once more. When it is lost again, its records are tried one by one, to find
those that do it; the part is then done without them, and they become rows with the reason. So one file that kills its
reader costs one row.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa

from src.core.engines.contract import Answer, Lost, PartTables, Task, WorkerPool
from src.core.errors import StageError
from src.core.part_store import COMMIT_TABLE
from src.core.stop_request import StopRequest

LOGGER = logging.getLogger(__name__)
Record = TypeVar("Record")
LostRows = Callable[[Sequence[Record], str], pa.Table]

_ATTEMPTS = 2
_MOST_WHOLE_LOSSES = 3  # one after another: then it is not the files


@dataclass
class _Part(Generic[Record]):
    """A part in work. lost: the reason by the record's place."""

    index: int
    records: Sequence[Record]
    attempts: int = 0
    tried_alone: bool = False
    open_trials: int = 0
    lost: dict[int, str] = field(default_factory=dict)

    @property
    def remaining(self) -> list[Record]:
        return [record for place, record in enumerate(self.records) if place not in self.lost]


class PartScheduler(Generic[Record]):
    """Feeds a pool with parts and yields what they become.

    parts: those to run; one is taken only when there is room for it, so that memory does not grow with their number.
    lost_rows: manifest rows of records that were lost, with the reason; None ends the stage at a loss.
    stop: once requested, nothing new is begun. on_loss: told of every loss.
    """

    def __init__(
        self,
        pool: WorkerPool,
        parts: Iterator[tuple[int, Sequence[Record]]],
        stop: StopRequest,
        lost_rows: LostRows[Record] | None,
        on_loss: Callable[[int, Lost], None],
    ) -> None:
        self._pool = pool
        self._parts = parts
        self._stop = stop
        self._lost_rows = lost_rows
        self._on_loss = on_loss
        self._in_work: dict[int, _Part[Record]] = {}
        self._urgent: deque[Task] = deque()
        self._pending = 0
        self._withheld: list[tuple[int, PartTables]] = []

    def results(self) -> Iterator[tuple[int, PartTables]]:
        """Tables of each part, in the order in which they become ready.

        Raises StageError when part after part is lost as a whole.
        """
        while self._fill():
            for task, answer in self._pool.answers():
                self._pending -= 1
                yield from self._received(self._in_work[task[0]], task[1], answer)
        if not self._stop.requested:
            yield from self._withheld

    def _fill(self) -> bool:
        """Give the pool what it has room for; whether there is anything to wait for."""
        for _ in range(self._pool.room()):
            task = self._next_task()
            if task is None:
                break
            index, place = task
            part = self._in_work[index]
            self._pool.submit(task, part.remaining if place is None else [part.records[place]])
            self._pending += 1
        return self._pending > 0

    def _next_task(self) -> Task | None:
        if self._stop.requested:
            return None
        if self._urgent:
            return self._urgent.popleft()
        for index, records in self._parts:
            self._in_work[index] = _Part(index, records)
            return index, None
        return None

    def _received(
        self, part: _Part[Record], place: int | None, answer: Answer
    ) -> Iterator[tuple[int, PartTables]]:
        if isinstance(answer, Lost):
            self._told(part, answer)
        if place is not None:
            if isinstance(answer, Lost):
                part.lost[place] = answer.reason
            part.open_trials -= 1
            if not part.open_trials:
                self._urgent.append((part.index, None))
        elif not isinstance(answer, Lost):
            yield from self._finished(part, answer)
        else:
            self._try_again(part, answer)

    def _told(self, part: _Part[Record], loss: Lost) -> None:
        self._on_loss(part.index, loss)
        if self._lost_rows is None:
            raise StageError(f"part {part.index} was lost ({loss.reason}): {loss.detail}")

    def _try_again(self, part: _Part[Record], loss: Lost) -> None:
        part.attempts += 1
        remaining = [place for place in range(len(part.records)) if place not in part.lost]
        if part.attempts < _ATTEMPTS:
            self._urgent.append((part.index, None))
        elif not part.tried_alone and len(remaining) > 1:
            part.tried_alone = True
            part.open_trials = len(remaining)
            self._urgent.extend((part.index, place) for place in remaining)
        elif remaining:  # together they are lost, each alone is not; or there is but one
            part.lost.update(dict.fromkeys(remaining, loss.reason))
            self._urgent.append((part.index, None))
        else:
            raise StageError(f"a worker is lost over nothing at all ({loss.reason}): {loss.detail}")

    def _finished(self, part: _Part[Record], tables: PartTables) -> Iterator[tuple[int, PartTables]]:
        del self._in_work[part.index]
        if part.lost:
            assert self._lost_rows is not None, "without it a loss ends the stage"
            tables = _with_lost_rows(tables, part, self._lost_rows)
        if len(part.lost) == len(part.records) > 1:
            self._withheld.append((part.index, tables))
            if len(self._withheld) >= _MOST_WHOLE_LOSSES:
                reasons = ", ".join(sorted(set(part.lost.values())))
                raise StageError(
                    f"{len(self._withheld)} parts one after another were lost as a whole ({reasons}), which is not the files' "
                    "doing; the log of the run has the details. What was finished is kept"
                )
            return
        yield from self._withheld
        self._withheld.clear()
        yield part.index, tables


def _with_lost_rows(tables: PartTables, part: _Part[Record], lost_rows: LostRows[Record]) -> PartTables:
    """The tables of the records that remained, and rows of those that were lost, in the order of the records."""
    manifest = tables[COMMIT_TABLE]
    places = [place for place in range(len(part.records)) if place not in part.lost]
    rows = [manifest]
    for place, reason in part.lost.items():
        rows.append(lost_rows([part.records[place]], reason).cast(manifest.schema))
        places.append(place)
    complete = pa.concat_tables(rows).take(np.argsort(places))
    LOGGER.warning(
        "part %d: %d of %d records are failed rows, since the worker was lost over them (%s)",
        part.index,
        len(part.lost),
        len(part.records),
        ", ".join(sorted(set(part.lost.values()))),
    )
    return {**tables, COMMIT_TABLE: complete}
