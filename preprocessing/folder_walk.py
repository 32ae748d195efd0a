"""All folders of a data set, and name, size and time of writing of each of their files: level by level, kept in columns."""

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from src.core.errors import DatasetError

DEEPEST_LEVEL = 5
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


def walk_folders(dataset: Path, *, follow_links: bool) -> list[Folder]:
    """Every folder that holds files, in the order of their files' keys.

    Links are followed; the depth is bounded, so no circle lasts. follow_links: also those that lead out of the data set.
    Raises DatasetError for one that does so otherwise, and OSError for what cannot be read.
    """
    root = None if follow_links else os.path.realpath(dataset)
    folders: list[Folder] = []
    level: list[tuple[str, ...]] = [()]
    for _ in range(DEEPEST_LEVEL):
        below: list[tuple[str, ...]] = []
        for parts in level:
            folder, names = _read_folder("/".join((str(dataset), *parts)), parts, root)
            if folder is not None:
                folders.append(folder)
            below.extend((*parts, name) for name in names)
        level = below
    folders.sort(key=lambda folder: folder.above)
    return folders


def refuse_link_outside(path: str | Path, root: str) -> None:
    """Raise DatasetError for a path that links lead out of the data set, whose real path is `root`."""
    target = os.path.realpath(path)
    if target != root and not target.startswith(f"{root}{os.sep}"):
        raise DatasetError(
            f"{path}: a link that leads out of the data set, to {target}. Whoever made the data set decides by it which "
            "files of yours are read. If the link is yours, say --follow-links; else remove it"
        )


def _read_folder(path: str, parts: tuple[str, ...], root: str | None) -> tuple[Folder | None, Sequence[str]]:
    """The folder where it holds files, and the names of the folders in it.

    root: real path of the folder that no link may leave; None follows every link.
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
