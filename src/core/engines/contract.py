"""What carries out the parts of a stage: the contract of all engines, and how a worker answers.

An engine knows nothing of stages, retries or files. It opens a pool of workers, each of which loads its networks once; takes
lists of records; and gives back tables, or says that the worker was lost over them. What becomes of that is decided
in `src/core/scheduling.py`, for all engines alike.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from src.core.errors import MediaError, VoxfaceError

Record = TypeVar("Record")
Task = tuple[int, int | None]  # a part, or one record of it
PartTables = Mapping[str, pa.Table]
PartWorker = Callable[[Sequence[Record]], PartTables]

LIBRARIES = ("torch", "numpy", "scipy.signal", "pyarrow.parquet", "cv2", "soundfile", "numba")
WORKER_DIED, OUT_OF_MEMORY = "worker_died", "out_of_memory"


@dataclass(frozen=True)
class Lost:
    """The worker died over its records, or could not go on with them.

    reason: the short code for the manifest. detail: what is known, for the log.
    """

    reason: str
    detail: str


Answer = PartTables | Lost


class WorkerPool(Protocol):
    """Workers that are ready, and what they are given."""

    def room(self) -> int:
        """How many tasks it takes now: enough to keep every worker busy, and no more."""

    def submit(self, task: Task, records: Sequence[Any]) -> None:
        """Give it one."""

    def answers(self) -> Sequence[tuple[Task, Answer]]:
        """Those that are ready, at least one; waits. An error that ends the stage is raised."""

    def close(self, *, at_once: bool) -> None:
        """End the workers; at_once kills them over what they have."""


class Engine(Protocol):
    """A way to carry out parts."""

    def open(
        self, make_worker: Callable[[], PartWorker[Any]], workers: int, tasks: int, libraries: Sequence[str]
    ) -> WorkerPool:
        """Start workers.

        make_worker: pickled; called once in each worker. workers: how many, 0 for as many as fit. tasks: how many parts
        there are; more workers are never needed. libraries: what workers import, so that it can be loaded beforehand.
        """

    def description(self) -> dict[str, Any]:
        """What the log says of it."""


def answer(worker: PartWorker[Any], records: Sequence[Any]) -> Answer:
    """What `worker` makes of records, or the loss. Errors of users, as a full disk, are raised: they end the stage."""
    try:
        return worker(records)
    except MediaError as error:
        return Lost(error.reason, str(error))
    except VoxfaceError:
        raise
    except Exception as error:
        return Lost(_reason(error), traceback.format_exc())


def _reason(error: Exception) -> str:
    # PyTorch on a processor reports want of memory as a RuntimeError, on a GPU as a class of its own
    if isinstance(error, MemoryError) or any(
        words in f"{type(error).__name__}: {error}" for words in ("OutOfMemory", "not enough memory")
    ):
        return OUT_OF_MEMORY
    return f"error_{type(error).__name__}"
