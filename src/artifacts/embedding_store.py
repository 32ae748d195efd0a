"""The embedding store: keyed float32 vectors of one modality, with their provenance.

    STORE/store.json                     encoder, weights' checksum, settings, code version
    STORE/tokens/part-00000.parquet      one row a token (TOKEN_FIELDS); a key's tokens stand together
    STORE/manifest/part-00000.parquet    one row a source: status and reason

A recording's tokens are its whole-utterance vector (`whole`) and its windows (`window`); a photograph's are its crop
(`crop`), the mirrored crop (`flip`) and, when asked for, jittered crops (`jitter`). pandas, DuckDB and pyarrow read the
parts as they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from src.core.errors import StoreError
from src.core.files import read_json, write_json
from src.core.stage import read_parts

STORE_FORMAT = 1
WHOLE, WINDOW, CROP, FLIP, JITTER = "whole", "window", "crop", "flip", "jitter"
PRIMARY_KINDS = (WHOLE, CROP)


def token_schema(dimension: int) -> pa.Schema:
    """Columns of a token table with vectors of `dimension` numbers."""
    return pa.schema(
        [
            ("key", pa.string()),
            ("identity", pa.string()),
            ("language", pa.string()),
            ("video", pa.string()),
            ("split", pa.string()),
            ("token_index", pa.int32()),
            ("token_kind", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),
            ("quality", pa.float32()),
        ]
    )


def token_table(rows: Sequence[dict[str, Any]], vectors: np.ndarray) -> pa.Table:
    """A token table from rows (all columns but `vector`) and their vectors, float32 (rows, dimension)."""
    dimension = vectors.shape[1]
    schema = token_schema(dimension)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    columns = {
        name: pa.FixedSizeListArray.from_arrays(flat, dimension)
        if name == "vector"
        else pa.array([row[name] for row in rows], schema.field(name).type)
        for name in schema.names
    }
    return pa.table(columns, schema=schema)


def write_store_information(folder: Path, information: dict[str, Any]) -> None:
    """Write `store.json`; `information` must have `modality`, `encoder` and `dimension`."""
    write_json(folder / "store.json", {"format": STORE_FORMAT, **information})


@dataclass(frozen=True)
class EmbeddingStore:
    """A store opened for reading.

    information: the content of store.json.
    vectors: float32 (tokens, dimension).
    items: one row a key, in store order, indexed by key: identity, language, video, split, first, count
        (the key's tokens are `vectors[first : first + count]`).
    token_kinds: (tokens,) array of strings.
    """

    folder: Path
    information: dict[str, Any]
    vectors: np.ndarray
    items: pd.DataFrame
    token_kinds: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> "EmbeddingStore":
        """Open a store folder.

        Raises StoreError when it is missing, of another format, holds a vector that is not finite, or a
        key whose tokens do not stand together.
        """
        path = folder / "store.json"
        if not path.is_file():
            raise StoreError(
                f"{folder}: not an embedding store (no store.json). Make one: python -m features WORK"
            )
        information = read_json(path)
        if information.get("format") != STORE_FORMAT:
            raise StoreError(
                f"{folder}: store format {information.get('format')}, this program reads {STORE_FORMAT}"
            )
        try:
            table = read_parts(folder / "tokens")
        except FileNotFoundError as error:
            raise StoreError(f"{folder}: holds no tokens. Run `python -m features WORK` again") from error
        column = table["vector"].combine_chunks()
        vectors = column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), column.type.list_size)
        if not np.isfinite(vectors).all():
            raise StoreError(f"{folder}: some vectors are not finite; remove the store and extract it again")
        return cls(folder, information, vectors, _items(table, folder), table["token_kind"].to_numpy())

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @property
    def encoder(self) -> str:
        """Name of the encoder that made the vectors."""
        return str(self.information["encoder"])

    @cached_property
    def _rows(self) -> dict[str, tuple[int, int]]:
        return {
            key: (int(first), int(count))
            for key, first, count in zip(
                self.items.index, self.items["first"], self.items["count"], strict=True
            )
        }

    def missing(self, keys: Iterable[str]) -> list[str]:
        """The keys that the store does not hold, each once, in order."""
        return [key for key in dict.fromkeys(keys) if key not in self._rows]

    def require(self, keys: Iterable[str]) -> None:
        """Raise StoreError that lists the keys which are missing, if any."""
        missing = self.missing(keys)
        if missing:
            shown = "\n  ".join(missing[:10])
            raise StoreError(
                f"{self.folder}: {len(missing)} keys have no embedding (the manifest's `reason` says why):\n  {shown}"
            )

    def tokens(self, key: str) -> np.ndarray:
        """All vectors of a key, float32 (tokens, dimension). Raises StoreError for an unknown key."""
        self.require([key])
        first, count = self._rows[key]
        return self.vectors[first : first + count]

    def primary(self, key: str) -> np.ndarray:
        """The whole-utterance vector or the unmirrored crop's vector of a key, float32 (dimension,)."""
        self.require([key])
        first, count = self._rows[key]
        kinds = self.token_kinds[first : first + count]
        return self.vectors[first + int(np.flatnonzero(np.isin(kinds, PRIMARY_KINDS))[0])]


def _items(table: pa.Table, folder: Path) -> pd.DataFrame:
    columns = ["key", "identity", "language", "video", "split"]
    tokens = table.select(columns).to_pandas()
    starts = np.flatnonzero((tokens["key"] != tokens["key"].shift()).to_numpy())
    items = tokens.iloc[starts].reset_index(drop=True)
    items["first"] = starts
    items["count"] = np.diff(np.append(starts, len(tokens)))
    if items["key"].duplicated().any():
        name = items["key"][items["key"].duplicated()].iloc[0]
        raise StoreError(
            f"{folder}: the tokens of {name} do not stand together; was the store merged by hand?"
        )
    return items.set_index("key")
