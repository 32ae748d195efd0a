"""Token parts on disk → one array of vectors and one table of items, without a second copy of the vectors.

Parts are decoded by a few threads straight into one array that was allocated from the parts' footers, so opening a
store takes little more memory than its vectors and item table, however many parts it has.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from src.core.errors import StoreError

ITEM_COLUMNS = ("identity", "language", "video", "split")
_COLUMNS = ("key", *ITEM_COLUMNS, "token_kind", "vector")
_MOST_THREADS = 8


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of a store.

    vectors: float32 (tokens, dimension), all finite.
    items: one row a run of tokens with one key, in store order, indexed by key: identity, language, video, split,
        first, count. A key whose tokens do not stand together has several rows.
    kinds: (tokens,) array of strings.
    """

    vectors: np.ndarray
    items: pd.DataFrame
    kinds: np.ndarray


def part_paths(folder: Path) -> list[Path]:
    """The part files of a table folder, in order."""
    return sorted(folder.glob("part-*.parquet"), key=lambda path: (len(path.name), path.name))


def read_tokens(folder: Path, dimension: int) -> StoredTokens:
    """Read all parts of a store's `tokens` folder.

    Raises StoreError, which names the part, when there is none, one cannot be read, lacks a column, has vectors of
    another dimension than store.json says, or a vector that is not finite.
    """
    paths = part_paths(folder)
    if not paths:
        raise StoreError(f"{folder.parent}: holds no tokens. Run `python -m features WORK` again")
    with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as pool:
        ends = np.cumsum(list(pool.map(_count_rows, paths)))
        vectors = np.empty((int(ends[-1]), dimension), np.float32)
        blocks = np.split(vectors, ends[:-1])
        runs = [run for part in pool.map(_read_part, paths, blocks) for run in part] or [_no_run()]
    kinds = np.concatenate([run.kinds for run in runs])
    columns = {name: [run.items[name] for run in runs] for name in runs[0].items.column_names}
    del runs
    return StoredTokens(vectors, _items(columns), kinds)


def require_vectors(table: pa.Table, dimension: int, path: Path, columns: Sequence[str] = _COLUMNS) -> None:
    """Raise StoreError unless a token part has the columns, and vectors of the dimension."""
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise StoreError(f"{path}: lacks the columns {', '.join(missing)}; {_EXTRACT_AGAIN}")
    expected = pa.list_(pa.float32(), dimension)
    found = table.schema.field("vector").type
    if not (pa.types.is_fixed_size_list(found) and found.value_type == pa.float32()):
        raise StoreError(f"{path}: its vectors are of the type {found}, not {expected}; {_EXTRACT_AGAIN}")
    if found.list_size != dimension:
        raise StoreError(
            f"{path}: its vectors have {found.list_size} numbers, but store.json says {dimension}: parts of "
            f"different encoders are mixed; {_EXTRACT_AGAIN}"
        )


def copy_vectors(table: pa.Table, block: np.ndarray) -> None:
    """Copy the vectors of a table into `block`, float32 (rows, dimension); a null becomes NaN."""
    first = 0
    for chunk in table["vector"].chunks:
        last = first + len(chunk)
        if chunk.null_count:
            block[first:last] = np.nan
        else:
            block[first:last] = (
                chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), block.shape[1])
            )
        first = last


def unreadable_part(path: Path, error: Exception) -> StoreError:
    """The error for a part that is truncated or no Parquet file."""
    return StoreError(f"{path}: truncated, or not a Parquet file ({error}); {_EXTRACT_AGAIN}")


_EXTRACT_AGAIN = (
    "remove the part and the manifest's part of the same number, and run python -m features WORK again"
)


@dataclass(frozen=True)
class _Run:
    """What a block of rows holds besides its vectors: items with `count`, and the kind of each token."""

    items: pa.Table
    kinds: np.ndarray


def _no_run() -> _Run:
    """What is left where every medium failed."""
    names = ["key", *ITEM_COLUMNS]
    table = pa.table([pa.array([], pa.string())] * len(names), names)
    return _Run(collapse_keys(table), np.empty(0, object))


def _count_rows(path: Path) -> int:
    """From the footer, which is not kept: those of thousands of parts take as much memory as their items."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise unreadable_part(path, error) from error


def _read_part(path: Path, block: np.ndarray) -> list[_Run]:
    """Fill `block` with the part's vectors, a row group at a time."""
    runs, first = [], 0
    try:
        with pq.ParquetFile(path) as part:
            names = set(part.schema_arrow.names)
            columns = [name for name in _COLUMNS if name in names]
            for group in range(part.num_row_groups):
                table = part.read_row_group(group, columns=columns, use_threads=False)
                require_vectors(table, block.shape[1], path)
                last = first + len(table)
                copy_vectors(table, block[first:last])
                if not np.isfinite(block[first:last]).all():
                    raise StoreError(f"{path}: some vectors are not finite; {_EXTRACT_AGAIN}")
                if len(table):
                    runs.append(_Run(collapse_keys(table), _kinds(table["token_kind"])))
                first = last
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise unreadable_part(path, error) from error
    return runs


def collapse_keys(table: pa.Table) -> pa.Table:
    """One row for each run of equal keys: key, identity, language, video, split and `count`."""
    keys = table["key"].combine_chunks()
    changes = pc.fill_null(pc.not_equal(keys[1:], keys[:-1]), True).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.append(True, changes))[: len(table)]
    items = table.select(["key", *ITEM_COLUMNS]).take(pa.array(starts))
    return items.append_column("count", pa.array(np.diff(np.append(starts, len(table)))))


def _kinds(column: pa.ChunkedArray) -> np.ndarray:
    """Texts as an object array in which equal ones are one object."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.array(encoded.dictionary.to_pylist(), object)[encoded.indices.to_numpy()]


def _items(columns: dict[str, list[pa.ChunkedArray]]) -> pd.DataFrame:
    """The item table of all blocks in order; a key that goes on in the next block is one item.

    Takes the columns out of `columns` one by one, so that none is in memory twice for longer than it must.
    """
    counts = np.concatenate([count.to_numpy() for count in columns.pop("count")])
    begins = _begins_an_item(columns["key"])
    firsts = np.append(0, np.cumsum(counts)[:-1])[begins]
    index = pd.Index(_as_pandas(columns.pop("key"), begins), name="key")
    items: dict[str, Any] = {
        name: _as_pandas(columns.pop(name), begins).set_axis(index) for name in ITEM_COLUMNS
    }
    items["first"] = firsts
    items["count"] = np.diff(np.append(firsts, counts.sum()))
    return pd.DataFrame(items, index=index)


def _begins_an_item(keys: Sequence[pa.ChunkedArray]) -> np.ndarray:
    """Of each run, whether its key differs from that of the run before, bool (runs,). keys: of each block."""
    begins = np.ones(sum(map(len, keys)), bool)
    place = 0
    for former, latter in pairwise(keys):
        place += len(former)
        begins[place] = former[-1].as_py() != latter[0].as_py()
    return begins


def _as_pandas(blocks: list[pa.ChunkedArray], kept: np.ndarray) -> pd.Series:
    """A column of texts as Arrow memory under pandas, in one piece."""
    column = pa.chunked_array([chunk for block in blocks for chunk in block.chunks], pa.string())
    blocks.clear()
    chosen = column if kept.all() else column.filter(pa.array(kept))
    del column
    texts = chosen.combine_chunks().to_pandas()
    del chosen
    pa.default_memory_pool().release_unused()  # or the peak counts every column twice
    return texts
