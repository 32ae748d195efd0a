"""Atomic writes: a file is either absent or whole, whatever kills the process.

A temporary name in the same folder is written, flushed to the disk and renamed over the final name. What a killed process
left under a temporary name is removed by the next run (`remove_partial_files`).
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from src.core.errors import MediaError, OutputError

PARTIAL_PREFIX = ".partial-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success rename it over `path`, else remove it.

    The temporary name keeps the suffix of `path`, since encoders choose the format by it. Raises OutputError when the
    disk is full or the folder cannot be written to.
    """
    with explained_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL_PREFIX, suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o666 & ~_current_umask())
            temporary.replace(path)
        finally:
            _remove_if_possible(temporary)


@contextmanager
def explained_output(path: Path) -> Iterator[None]:
    """Turn errors of a full disk or a closed folder, raised while `path` is written, into an OutputError."""
    try:
        yield
    except Exception as error:
        explained = _explanation(path, error)
        if explained is None:
            raise
        raise explained from error


def _explanation(path: Path, error: Exception) -> OutputError | None:
    """What to tell the user; None for an error of another kind. Encoders' libraries keep the system's words alone."""
    number = error.errno if isinstance(error, OSError) else None
    words = str(error)
    if number in _FULL or any(os.strerror(code) in words for code in _FULL):
        return OutputError(
            f"{path}: the disk is full ({_free_megabytes(path)} MB free, or a quota is reached). What was finished is kept; "
            "make room and run the same command again to go on"
        )
    if (number in _CLOSED and _concerns(path, error)) or os.strerror(errno.EROFS) in words:
        return OutputError(
            f"{path}: cannot be written ({os.strerror(number or errno.EROFS)}). What was finished is kept; make the folder "
            "writable and run the same command again to go on"
        )
    return None


def _concerns(path: Path, error: Exception) -> bool:
    """Whether a refused operation was on `path`, its temporary file or a folder above: not on a file that is read."""
    name = getattr(error, "filename", None)
    return not name or path.parent.is_relative_to(Path(name)) or Path(name).parent == path.parent


def _free_megabytes(path: Path) -> str:
    there = next((folder for folder in path.parents if folder.is_dir()), None)
    return f"{shutil.disk_usage(there).free / 1e6:.1f}" if there else "unknown"


def _remove_if_possible(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in _CLOSED:  # the folder was closed meanwhile; the next run removes it
            raise


def remove_partial_files(folder: Path) -> int:
    """Remove what killed processes left under temporary names below a folder nobody writes to now; how many there were.

    In a folder that takes no changes they stay: the next write says so, or the error that closed the folder is on its way.
    """
    left = [
        Path(above) / name
        for above, _, names in os.walk(folder)
        for name in names
        if name.startswith(PARTIAL_PREFIX)
    ]
    for path in left:
        _remove_if_possible(path)
    return len(left)


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def leads_outside(path: str) -> bool:
    """Whether a path with forward slashes is absolute (POSIX knows the root `//` too) or climbs out of its folder."""
    return PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts


def path_below(folder: Path, relative: str) -> Path:
    """The path of a file that a table names within `folder`. Raises MediaError `outside_folder` for one that leads out."""
    if not PurePosixPath(relative).parts or leads_outside(relative) or "\0" in relative:
        raise MediaError("outside_folder", f"{folder}: {relative!r} is no path within this folder")
    return folder / relative


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically, with line endings exactly as given."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with a final newline, atomically."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, sort_keys=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file written by `write_json`."""
    return json.loads(path.read_text(encoding="utf-8"))
