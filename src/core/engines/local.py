"""The local engine: worker processes of this machine."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from src.core.engines.contract import WORKER_DIED, Answer, Lost, PartWorker, Task, WorkerPool, answer
from src.core.parent_watch import end_with_parent

_TASKS_AHEAD = 2  # one in work, one waiting, so that no worker waits while a part is written


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine; with one worker, this process itself.

    isolated: one worker, too, is a process of its own, so that what kills it does not end the run.
    """

    isolated: bool = False

    def open(
        self, make_worker: Callable[[], PartWorker[Any]], workers: int, tasks: int, libraries: Sequence[str]
    ) -> WorkerPool:
        """Start them: one a core where `workers` is 0."""
        processes = min(workers or len(os.sched_getaffinity(0)), tasks)
        if processes <= 1 and not self.isolated:
            return OwnProcess(make_worker)
        return ProcessPool(make_worker, max(1, processes), libraries)

    def description(self) -> dict[str, Any]:
        """Its name."""
        return {"engine": "local"}


class OwnProcess:
    """Runs tasks in this process, one at a time."""

    def __init__(self, make_worker: Callable[[], PartWorker[Any]]) -> None:
        self._make_worker = make_worker
        self._worker: PartWorker[Any] | None = None
        self._task: tuple[Task, Sequence[Any]] | None = None

    def room(self) -> int:
        """One, unless there is a task."""
        return 0 if self._task else 1

    def submit(self, task: Task, records: Sequence[Any]) -> None:
        """Keep it for `answers`."""
        self._task = task, records

    def answers(self) -> list[tuple[Task, Answer]]:
        """Run the task."""
        assert self._task is not None, "there is a task when answers are waited for"
        if self._worker is None:
            self._worker = self._make_worker()
        (task, records), self._task = self._task, None
        return [(task, answer(self._worker, records))]

    def close(self, *, at_once: bool) -> None:
        """Nothing to end."""


@dataclass
class _Worker:
    """One process, as an executor of its own: when it dies, it is known over what, and the others go on."""

    executor: ProcessPoolExecutor
    process_id: Future[int]
    waiting: deque[tuple[Task, Sequence[Any], Future[Answer]]] = field(default_factory=deque)


class ProcessPool:
    """Processes forked from a server that has the libraries loaded."""

    def __init__(
        self, make_worker: Callable[[], PartWorker[Any]], processes: int, libraries: Sequence[str]
    ) -> None:
        self._make_worker = make_worker
        self._libraries = list(libraries)
        self._threads = max(1, len(os.sched_getaffinity(0)) // processes)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(self._libraries)
        self._workers = [self._start() for _ in range(processes)]

    def room(self) -> int:
        """Two a worker."""
        return sum(_TASKS_AHEAD - len(worker.waiting) for worker in self._workers)

    def submit(self, task: Task, records: Sequence[Any]) -> None:
        """Give it to the worker with the fewest."""
        place = min(range(len(self._workers)), key=lambda place: len(self._workers[place].waiting))
        self._give(place, task, records)

    def answers(self) -> list[tuple[Task, Answer]]:
        """Those of all workers; a worker that died over its first task is replaced and keeps the others."""
        wait([worker.waiting[0][2] for worker in self._workers if worker.waiting], None, FIRST_COMPLETED)
        ready: list[tuple[Task, Answer]] = []
        for place, worker in enumerate(self._workers):
            while worker.waiting and worker.waiting[0][2].done():
                task, _, future = worker.waiting.popleft()
                try:
                    ready.append((task, future.result()))
                except BrokenProcessPool:
                    ready.append((task, Lost(WORKER_DIED, "the process died, as when memory runs out")))
                    self._replace(place)
                    break
        return ready

    def close(self, *, at_once: bool) -> None:
        """End the processes."""
        for worker in self._workers:
            if at_once:
                _kill(worker)
            worker.executor.shutdown(cancel_futures=at_once)

    def _start(self) -> _Worker:
        executor = ProcessPoolExecutor(
            1,
            mp_context=self._context,
            initializer=_start_worker,
            initargs=(self._make_worker, self._threads, self._libraries),
        )
        return _Worker(executor, executor.submit(os.getpid))

    def _replace(self, place: int) -> None:
        former = self._workers[place]
        former.executor.shutdown(wait=False)
        self._workers[place] = self._start()
        for task, records, _ in former.waiting:
            self._give(place, task, records)

    def _give(self, place: int, task: Task, records: Sequence[Any]) -> None:
        try:
            future = self._workers[place].executor.submit(_run_task, records)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._replace(place)
            future = self._workers[place].executor.submit(_run_task, records)
        self._workers[place].waiting.append((task, records, future))


def _kill(worker: _Worker) -> None:
    if worker.process_id.done() and not worker.process_id.exception():
        with suppress(ProcessLookupError):
            os.kill(worker.process_id.result(), signal.SIGKILL)


_make_process_worker: Callable[[], PartWorker[Any]] | None = None
_process_worker: PartWorker[Any] | None = None


def _start_worker(make_worker: Callable[[], PartWorker[Any]], threads: int, libraries: Sequence[str]) -> None:
    global _make_process_worker
    end_with_parent()
    set_threads(threads, libraries)
    _make_process_worker = make_worker


def set_threads(threads: int, libraries: Sequence[str]) -> None:
    """Bound the threads that libraries of this process start."""
    if "torch" in libraries:
        import torch

        torch.set_num_threads(threads)
    if "cv2" in libraries:
        import cv2

        cv2.setNumThreads(threads)


def _run_task(records: Sequence[Any]) -> Answer:
    """The worker is made at its first task, where an error in making it can be told."""
    global _process_worker
    if _process_worker is None:
        assert _make_process_worker is not None, "the initializer sets it"
        _process_worker = _make_process_worker()
    return answer(_process_worker, records)
