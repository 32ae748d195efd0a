"""Run each task in a process of its own, forked from a clean server that has everything imported.

espeak-ng keeps state from utterance to utterance, so only a fresh process makes a task's output
independent of what ran before it, and so of the number of workers.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Any, TypeVar

from src.core.parent_watch import end_with_parent
from src.core.progress import progress_bar

# Whatever the tasks of this package import: the server starts once, with what its first user names.
_PRELOADED_MODULES = ("demo.identity_media", "demo.pretraining")

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_in_fresh_processes(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    description: str,
) -> list[Result]:
    """Results of all tasks, in the order of the tasks, with a progress bar.

    workers: how many processes at a time; 0 takes one a core. function and tasks are pickled.
    Raises RuntimeError with the task's traceback, or its exit status, when one fails.
    """
    workers = workers or len(os.sched_getaffinity(0))
    results: dict[int, Result] = {}
    with progress_bar(total=len(tasks), description=description, unit="identity") as bar:
        for index, result in _run_all(function, tasks, workers):
            results[index] = result
            bar.update()
    return [results[index] for index in range(len(tasks))]


def _run_all(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) of each task as it becomes ready."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED_MODULES, function.__module__])
    waiting = iter(enumerate(tasks))
    running: dict[Any, tuple[int, ForkServerProcess]] = {}

    def start_next() -> None:
        for index, task in waiting:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(sender, function, task))
            process.start()
            sender.close()
            running[receiver] = (index, process)
            return

    try:
        for _ in range(workers):
            start_next()
        while running:
            for receiver in wait(list(running)):
                index, process = running.pop(receiver)
                result = _receive(receiver, process)
                start_next()
                yield index, result
    finally:
        for receiver, (_, process) in running.items():
            process.terminate()
            process.join()
            receiver.close()


def _run(sender: Connection, function: Callable[[Task], Result], task: Task) -> None:
    end_with_parent()
    answer: tuple[bool, Any]
    try:
        answer = (True, function(task))
    except Exception:
        answer = (False, traceback.format_exc())
    sender.send(answer)
    sender.close()


def _receive(receiver: Any, process: ForkServerProcess) -> Any:
    try:
        succeeded, answer = receiver.recv()
    except EOFError:
        succeeded, answer = False, ""
    finally:
        receiver.close()
        process.join()
    if not succeeded:
        reason = answer or f"the process ended with status {process.exitcode}"
        raise RuntimeError(f"a task of the generated world failed: {reason}")
    return answer
