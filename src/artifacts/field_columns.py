"""Lists with white space between their fields, as columns: what lists of many millions of lines take.

Blank lines, tabs, CRLF and a byte order mark are read; a line with another number of fields is an error.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from src.core.errors import ListError

_BLOCK_LINES = 65_536
_SHOWN_LINES = 5


def read_columns(path: Path, names: Sequence[str], encoded: Sequence[str] = ()) -> pa.Table:
    """The fields of every line that is not blank, as texts; one column for each of `names`.

    encoded: columns whose values repeat; they come dictionary-encoded. A file is read a block at a time, so that
    memory is that of the columns. Raises ListError for a file that is missing or not a text, and names the lines
    with another number of fields.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such list")
    schema = pa.schema(
        [(name, pa.dictionary(pa.int32(), pa.string()) if name in encoded else pa.string()) for name in names]
    )
    malformed: list[str] = []
    with path.open(encoding="utf-8-sig") as stream:
        blocks = [_columns(rows, names, encoded) for rows in _rows_of(stream, path, len(names), malformed)]
    if malformed:
        shown = "\n  ".join(malformed[:_SHOWN_LINES])
        raise ListError(
            f"{path}: {len(malformed)} lines do not have the {len(names)} fields ({', '.join(names)}):\n  {shown}"
        )
    return pa.Table.from_batches(blocks, schema).unify_dictionaries().combine_chunks()


def refuse_repeated(ids: Sequence[str] | pa.Array, path: Path, header_lines: int = 0) -> None:
    """Raise ListError, which names ids and lines, where trial ids stand more than once.

    ids: in the order of the lines that are not blank, after `header_lines` of them.
    """
    column = pa.array(ids, pa.string())
    counts = pc.value_counts(column)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(repeated) == 0:
        return
    shown = repeated[:_SHOWN_LINES]
    rows = np.flatnonzero(pc.is_in(column, value_set=shown).to_numpy(zero_copy_only=False))
    lines = ", ".join(map(str, line_numbers(path, rows + header_lines)[: 2 * _SHOWN_LINES]))
    raise ListError(
        f"{path}: {len(repeated)} trial ids stand more than once: {', '.join(shown.to_pylist())} (lines {lines})"
    )


def line_numbers(path: Path, rows: Sequence[int] | np.ndarray) -> list[int]:
    """On which line, from 1, the lines stand that are numbered from 0 without the blank ones; for errors."""
    wanted, found, row = set(map(int, rows)), [], -1
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, 1):
            row += bool(line.strip())
            if row in wanted and line.strip():
                found.append(number)
    return found


def _rows_of(stream: TextIO, path: Path, width: int, malformed: list[str]) -> Iterator[list[list[str]]]:
    """Blocks of rows of `width` fields; other lines are described in `malformed`."""
    first = 1
    while lines := _lines(stream, path):
        rows = [line.split() for line in lines]
        if any(len(row) not in (0, width) for row in rows):
            malformed += [
                f"line {number}: {line.rstrip()[:80]!r}"
                for number, (line, row) in enumerate(zip(lines, rows, strict=True), first)
                if len(row) not in (0, width)
            ]
        yield [row for row in rows if len(row) == width]
        first += len(lines)


def _lines(stream: TextIO, path: Path) -> list[str]:
    try:
        return list(islice(stream, _BLOCK_LINES))
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error


def _columns(rows: list[list[str]], names: Sequence[str], encoded: Sequence[str]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    return pa.RecordBatch.from_pydict(
        {name: array.dictionary_encode() if name in encoded else array for name, array in arrays.items()}
    )
