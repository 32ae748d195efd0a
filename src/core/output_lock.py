"""One run at a time on an output folder.

The kernel holds the lock (`flock`) for as long as the process lives, so nothing goes stale, whatever kills the process and
however the clock jumps. What stands in the file only tells people, and the next run, who holds it: a run that ends in an
orderly way empties it, a killed one leaves its name. A run that ends with an error before it has written anything takes the
lock away again, and the folder that was made for it.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from src.core.errors import OutputError
from src.core.files import explained_output, remove_partial_files
from src.core.run_log import without_secrets

LOGGER = logging.getLogger(__name__)
LOCK_FILE = ".lock"
_HELD_HERE: set[Path] = set()
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


@contextmanager
def locked_output(folder: Path) -> Iterator[bool]:
    """Hold `folder`, made where it is missing; yields whether the run that held it before was killed.

    What such a run left half-written, under temporary names, is removed.

    What holds it already may do so again within. Raises OutputError, which says who holds it, when another run does.
    """
    path = folder / LOCK_FILE
    own = folder.resolve()
    if own in _HELD_HERE:
        yield False
        return
    was_there = folder.is_dir()
    with _taken(path) as stream:
        was_killed = bool(_content(stream))
        with explained_output(path):
            _rewrite(stream, json.dumps(_own_description()))
        if was_killed:
            remove_partial_files(folder)
        _HELD_HERE.add(own)
        try:
            yield was_killed
        except BaseException:
            _leave_no_trace(path, was_there)
            raise
        finally:
            _HELD_HERE.discard(own)
            with contextlib.suppress(OSError):  # a folder that was closed meanwhile keeps the name
                _rewrite(stream, "")


def is_held(folder: Path) -> bool:
    """Whether a run holds `folder` now."""
    try:
        with (folder / LOCK_FILE).open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _HELD
    return False


@contextmanager
def _taken(path: Path) -> Iterator[TextIO]:
    """The lock file, held. Another run may take the file away before it is held here: then it is made anew."""
    while True:
        with explained_output(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("a+", encoding="utf-8")
        with stream:
            _take(stream, path.parent)
            if _is_still_there(path, stream):
                yield stream
                return


def _is_still_there(path: Path, stream: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _leave_no_trace(path: Path, folder_was_there: bool) -> None:
    """Take the lock away, still held, where nothing else was written."""
    with contextlib.suppress(OSError):
        if [entry.name for entry in path.parent.iterdir()] == [LOCK_FILE]:
            path.unlink()
            if not folder_was_there:
                path.parent.rmdir()


def _take(stream: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            raise OutputError(
                f"{folder}: another run writes there ({_holder(_content(stream))}). Wait for it or stop it, or name another "
                "folder"
            ) from error
        LOGGER.warning(
            "%s: its file system knows no locks (%s), so nothing keeps two runs apart here", folder, error
        )


def _content(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read()


def _rewrite(stream: TextIO, text: str) -> None:
    stream.seek(0)
    stream.truncate()
    stream.write(text)
    stream.flush()


def _own_description() -> dict[str, str | int]:
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": without_secrets(shlex.join(sys.argv)),
    }


def _holder(content: str) -> str:
    try:
        holder = json.loads(content)
        return (
            f"process {holder['process']} on {holder['host']}, since {holder['started']}: {holder['command']}"
        )
    except (ValueError, KeyError, TypeError):
        return "it does not say which"
