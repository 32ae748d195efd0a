"""All folders of a data set, level by level."""

import os
from pathlib import Path

from preprocessing.folder_readers import read_folders
from preprocessing.folder_reading import Folder

DEEPEST_LEVEL = 5


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
        for parts, (folder, names) in zip(level, read_folders(str(dataset), level, root), strict=True):
            if folder is not None:
                folders.append(folder)
            below.extend((*parts, name) for name in names)
        level = below
    folders.sort(key=lambda folder: folder.above)
    return folders
