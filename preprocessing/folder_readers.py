"""Processes that read folders beside each other: one process alone is bound by the calls to the system, one a file."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from preprocessing.folder_reading import Reading, read_folder
from src.core.errors import DatasetError

_FOLDERS_AT_ONCE = 512
_FEWEST_FOLDERS = 8 * _FOLDERS_AT_ONCE  # for fewer no process is worth its start
_ROOT = Path(__file__).resolve().parents[1]
_PROGRAM = "from preprocessing.folder_readers import serve; serve()"

Folders = Sequence[tuple[str, ...]]


def read_folders(dataset: str, folders: Folders, root: str | None) -> Iterator[Reading]:
    """What each of the folders holds, in their order; see `read_folder`, which says what is raised."""
    processes = len(os.sched_getaffinity(0))
    if processes == 1 or len(folders) < _FEWEST_FOLDERS:
        yield from _read(dataset, folders, root)
        return
    with ExitStack() as stack:
        idle: SimpleQueue[_Reader] = SimpleQueue()
        for _ in range(processes):
            idle.put(stack.enter_context(_Reader()))
        threads = ThreadPoolExecutor(processes)
        stack.callback(threads.shutdown, cancel_futures=True)

        def read(start: int) -> list[Reading]:
            reader = idle.get()
            try:
                return reader.read(dataset, folders[start : start + _FOLDERS_AT_ONCE], root)
            finally:
                idle.put(reader)

        for readings in threads.map(read, range(0, len(folders), _FOLDERS_AT_ONCE)):
            yield from readings


def _read(dataset: str, folders: Folders, root: str | None) -> Iterator[Reading]:
    return (read_folder("/".join((dataset, *parts)), parts, root) for parts in folders)


class _Reader:
    """A process that reads folders; it ends when nobody asks it any more, also where the process that did was killed."""

    def __enter__(self) -> "_Reader":
        # not the folder that happens to be the current one
        program = f"import sys; sys.path[0] = {str(_ROOT)!r}; {_PROGRAM}"
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def read(self, dataset: str, folders: Folders, root: str | None) -> list[Reading]:
        """What these folders hold; what was raised there is raised here."""
        assert self._process.stdin is not None, "it was asked for"
        assert self._process.stdout is not None, "it was asked for"
        pickle.dump((dataset, folders, root), self._process.stdin)
        self._process.stdin.flush()
        answer: list[Reading] | Exception = pickle.load(self._process.stdout)
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(requests: BinaryIO = sys.stdin.buffer, answers: BinaryIO = sys.stdout.buffer) -> None:
    """Answer one request after the other until the last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks tells of it, and asks no more
    while True:
        try:
            dataset, folders, root = pickle.load(requests)
        except EOFError:
            return
        answer: list[Reading] | Exception
        try:
            answer = list(_read(dataset, folders, root))
        except (OSError, DatasetError) as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()
