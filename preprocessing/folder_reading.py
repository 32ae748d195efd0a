"""One folder of a data set as it lies on the disk: names, sizes and times of its files, kept in columns."""

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from src.core.errors import DatasetError

_BETWEEN_NAMES = "\0"  # no name has it


class Folder(NamedTuple):
    """A folder that holds files, which are ordered by name. A data set may have millions: so they are no objects.

    parts: of its path, relative to the data set. joined_names: use `names`.
    sizes_bytes, modified_ns: int64 (files,); when it was written last, nanoseconds since 1970, as its file system says.
    """

    parts: tuple[str, ...]
    joined_names: str
    sizes_bytes: "array[int]"
    modified_ns: "array[int]"

    @property
    def above(self) -> str:
        """What the keys of its files begin with."""
        return "".join(f"{part}/" for part in self.parts)

    @property
    def names(self) -> list[str]:
        """Of its files, in order."""
        return self.joined_names.split(_BETWEEN_NAMES)

    @property
    def has_plain_names(self) -> bool:
        """Whether no file is hidden and every name is ASCII."""
        return self.joined_names.isascii() and f"{_BETWEEN_NAMES}." not in _BETWEEN_NAMES + self.joined_names


# the folder where it holds files, and the names of the folders in it
Reading = tuple[Folder | None, Sequence[str]]


def refuse_link_outside(path: str | Path, root: str) -> None:
    """Raise DatasetError for a path that links lead out of the data set, whose real path is `root`."""
    target = os.path.realpath(path)
    if target != root and not target.startswith(f"{root}{os.sep}"):
        raise DatasetError(
            f"{path}: a link that leads out of the data set, to {target}. Whoever made the data set decides by it which "
            "files of yours are read. If the link is yours, say --follow-links; else remove it"
        )


def read_folder(path: str, parts: tuple[str, ...], root: str | None) -> Reading:
    """List it, and ask for the size and the time of each of its files.

    parts: of the path, relative to the data set. root: real path of the folder that no link may leave; None follows every link.
    Raises DatasetError for a link that does so, and OSError for what cannot be read.
    """
    files: list[tuple[str, int, int]] = []
    below: list[str] = []
    # by a descriptor, so that the system need not go through the whole path again for each file
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    files.append((entry.name, status.st_size, status.st_mtime_ns))
                    continue
                if root is not None and entry.is_symlink():
                    refuse_link_outside(f"{path}/{entry.name}", root)
                if entry.is_dir():
                    below.append(entry.name)
                elif entry.is_file():
                    status = entry.stat()
                    files.append((entry.name, status.st_size, status.st_mtime_ns))
    finally:
        os.close(descriptor)
    if not files:
        return None, below
    files.sort()
    names, sizes_bytes, modified_ns = zip(*files, strict=True)
    return Folder(parts, _BETWEEN_NAMES.join(names), array("q", sizes_bytes), array("q", modified_ns)), below
