"""Processes that read folders beside each other: one process alone is bound by the calls to the system, one a file."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue

from preprocessing.folder_reading import Reading, read_folder
from src.core.errors import DatasetError
from src.core.small_program import small_program

_FOLDERS_AT_ONCE = 512
_FEWEST_FOLDERS = 8 * _FOLDERS_AT_ONCE  # for fewer no process is worth its start
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
        self._connection, theirs = Pipe()
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen(small_program(_PROGRAM, end), pass_fds=(end,))
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.wait()

    def read(self, dataset: str, folders: Folders, root: str | None) -> list[Reading]:
        """What these folders hold; what was raised there is raised here."""
        self._connection.send((dataset, folders, root))
        answer: list[Reading] | Exception = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve() -> None:
    """Answer one request after the other, until the last, at an end of a connection: the file descriptor sys.argv[1]."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks tells of it, and asks no more
    with Connection(int(sys.argv[1])) as connection:
        while True:
            try:
                dataset, folders, root = connection.recv()
            except EOFError:
                return
            answer: list[Reading] | Exception
            try:
                answer = list(_read(dataset, folders, root))
            except (OSError, DatasetError) as error:
                answer = error
            connection.send(answer)
