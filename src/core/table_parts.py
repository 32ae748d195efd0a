"""Parts whose records stay in a table until a worker needs them; their fingerprints are made of the columns."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from src.core.part_store import fingerprint_of

Record = TypeVar("Record")
_ROWS_AT_ONCE = 1 << 20
_BETWEEN = ", "
_NEEDS_ESCAPING = r"[^ !#-\[\]-~]"  # in JSON that is ASCII


class TableParts(Sequence[Sequence[Record]], Generic[Record]):
    """Parts of consecutive rows.

    table: a column for each field of a record, by name and in order. ends: int64 (parts,), the row after each part's last.
    record: makes one of a row's values, given by name.
    """

    def __init__(self, table: pa.Table, ends: np.ndarray, record: Callable[..., Record]) -> None:
        self.table = table
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(ends)]
        self._ends = ends
        self._record = record

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Sequence[Record]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sequence[Record]]: ...
    def __getitem__(self, index: int | slice) -> Sequence[Any]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        start, end = int(self._starts[at]), int(self._ends[at])
        return [self._record(**row) for row in self.table.slice(start, end - start).to_pylist()]

    def fingerprints(self, settings: str) -> list[str]:
        """Of each part, as `fingerprint_of` gives it of its records."""
        marks: list[str] = []
        first = 0
        while first < len(self):
            last = max(
                first + 1, int(np.searchsorted(self._ends, self._starts[first] + _ROWS_AT_ONCE, "right"))
            )
            marks += self._fingerprints(first, last, settings)
            first = last
        return marks

    def _fingerprints(self, first: int, last: int, settings: str) -> list[str]:
        start = int(self._starts[first])
        texts = _row_texts(self.table.slice(start, int(self._ends[last - 1]) - start))
        content = memoryview(texts.buffers()[2])
        offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :]
        beginning = hashlib.sha256(f"{settings}\n[".encode())
        marks = []
        for one, end in zip(
            offsets[self._starts[first:last] - start].tolist(),
            offsets[self._ends[first:last] - start].tolist(),
            strict=True,
        ):
            mark = beginning.copy()
            mark.update(content[one : end - len(_BETWEEN)])
            mark.update(b"]")
            marks.append(mark.hexdigest())
        return marks


def fingerprints_of(parts: Sequence[Sequence[Any]], settings: str) -> list[str]:
    """The fingerprint of each part's records and of the stage's settings."""
    if isinstance(parts, TableParts):
        return parts.fingerprints(settings)
    return [fingerprint_of(records, settings) for records in parts]


def count_records(parts: Sequence[Sequence[Any]]) -> int:
    """Of all parts."""
    return parts.table.num_rows if isinstance(parts, TableParts) else sum(map(len, parts))


def _row_texts(table: pa.Table) -> pa.Array:
    """large_string (rows,): the JSON of each row's values, as `json.dumps` writes a list, and what stands between two."""
    texts = [_texts(column.combine_chunks()) for column in table.columns]
    return _joined("[", _joined(*texts, between=", "), "]" + _BETWEEN)


def _texts(column: pa.Array) -> pa.Array:
    """large_string (rows,): the JSON of each value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary).take(column.indices)
    if column.null_count == len(column):
        return pa.array(["null"], pa.large_string()).take(pa.array(np.zeros(len(column), np.int64)))
    if pa.types.is_integer(kind) and not column.null_count:
        return column.cast(pa.large_string())
    if (
        pa.types.is_large_string(kind)
        and not pc.any(pc.match_substring_regex(column, _NEEDS_ESCAPING)).as_py()
    ):
        return _joined('"', column, '"')
    return pa.array(map(json.dumps, column.to_pylist()), pa.large_string())


def _joined(*texts: pa.Array | str, between: str = "") -> pa.Array:
    kind = pa.large_string()
    pieces = [pa.scalar(text, kind) if isinstance(text, str) else text for text in texts]
    return pc.binary_join_element_wise(*pieces, pa.scalar(between, kind))
