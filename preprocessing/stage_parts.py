"""What the workers of a stage see together: the records of a person, language and video; a test file alone."""

import numpy as np
import pyarrow.compute as pc

from src.artifacts.sources import SourceRecord, SourceRows
from src.core.table_parts import TableParts


def parts_for_stage(rows: SourceRows, part_size: int) -> TableParts[SourceRecord]:
    """Whole groups, until a part holds at least `part_size` records; test files first, then people by name.

    A group holds the records of one person, language and video; of test media those of one file. Frames of a video stand
    together, by time. rows: in order, as a scan gives them; so are those of a group.
    """
    names = _group_names(rows)
    order = np.lexsort(names[::-1])
    names = names[:, order]
    begins = np.flatnonzero(np.any(names[:, 1:] != names[:, :-1], axis=0)) + 1
    ends = _filled(np.append(begins, len(rows)) if len(rows) else begins, part_size)
    return TableParts(rows.take(order).table, ends, SourceRecord)


def _group_names(rows: SourceRows) -> np.ndarray:
    """int64 (4, rows): the names of each row's group, by their places among all, the one that decides the order first."""
    is_train = pc.equal(rows.table["split"], "train").to_numpy()
    language = rows.ranks("language")
    test = [language, _numbered_files(rows), np.zeros(len(rows), np.int64)]
    train = [rows.ranks("identity"), language, rows.ranks("video")]
    return np.stack([is_train, *(np.where(is_train, *pair) for pair in zip(train, test, strict=True))])


def _numbered_files(rows: SourceRows) -> np.ndarray:
    """int64 (rows,): which file of all, since rows are ordered by file."""
    files = rows.file_keys()
    return np.concatenate([[0], np.cumsum(pc.not_equal(files[1:], files[:-1]).to_numpy())])[: len(rows)]


def _filled(ends: np.ndarray, part_size: int) -> np.ndarray:
    """Those of the groups' ends at which a part is full, and the last."""
    full = []
    begin = 0
    for end in ends.tolist():
        if end - begin >= part_size:
            full.append(end)
            begin = end
    if len(ends) and begin < ends[-1]:
        full.append(int(ends[-1]))
    return np.array(full, np.int64)
