"""The embedding store: keyed float32 vectors of one modality, with their provenance.

    STORE/store.json                     encoder, weights' checksum, settings, code version
    STORE/tokens/part-00000.parquet      one row a token (`token_schema`); a key's tokens stand together
    STORE/manifest/part-00000.parquet    one row a source (`MANIFEST_SCHEMA`): status and reason

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

from src.artifacts.sources import SOURCE_FIELDS
from src.artifacts.store_reading import read_tokens
from src.core.errors import StoreError
from src.core.files import read_json, write_json

STORE_FORMAT = 1
INFORMATION_FILE, TOKEN_FOLDER, MANIFEST_FOLDER = "store.json", "tokens", "manifest"
WHOLE, WINDOW, CROP, FLIP, JITTER = "whole", "window", "crop", "flip", "jitter"
PRIMARY_KINDS = (WHOLE, CROP)
MANIFEST_SCHEMA = pa.schema(
    [*SOURCE_FIELDS, ("status", pa.string()), ("reason", pa.string()), ("tokens", pa.int32())]
)


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
    names = [name for name in token_schema(vectors.shape[1]).names if name != "vector"]
    return token_table_of_columns({name: [row[name] for row in rows] for name in names}, vectors)


def token_table_of_columns(columns: dict[str, Any], vectors: np.ndarray) -> pa.Table:
    """A token table from its columns (all but `vector`) and its vectors, float32 (rows, dimension)."""
    dimension = vectors.shape[1]
    schema = token_schema(dimension)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    arrays = {
        name: pa.FixedSizeListArray.from_arrays(flat, dimension)
        if name == "vector"
        else pa.array(columns[name], schema.field(name).type)
        for name in schema.names
    }
    return pa.table(arrays, schema=schema)


def write_store_information(folder: Path, information: dict[str, Any]) -> None:
    """Write `store.json`; `information` must have `modality`, `encoder` and `dimension`."""
    write_json(folder / INFORMATION_FILE, {"format": STORE_FORMAT, **information})


def read_store_information(folder: Path) -> dict[str, Any]:
    """The content of `store.json`. Raises StoreError when it is missing, damaged or of another format."""
    path = folder / INFORMATION_FILE
    if not path.is_file():
        raise StoreError(
            f"{folder}: not an embedding store (no {INFORMATION_FILE}). Make one: python -m features WORK"
        )
    try:
        information = read_json(path)
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"{path}: not readable as JSON ({error}); run python -m features WORK again"
        ) from error
    if not isinstance(information, dict) or information.get("format") != STORE_FORMAT:
        found = information.get("format") if isinstance(information, dict) else None
        raise StoreError(f"{folder}: store format {found}, this program reads {STORE_FORMAT}")
    missing = [name for name in ("modality", "encoder", "dimension") if name not in information]
    if missing:
        raise StoreError(f"{path}: does not say {', '.join(missing)}; run python -m features WORK again")
    return information


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
        """Open a store folder; the vectors are copied once, from the Parquet pages into one array.

        Raises StoreError when it is missing, of another format, holds a part that cannot be read or is of
        another dimension, a vector that is not finite, or a key whose tokens do not stand together.
        """
        information = read_store_information(folder)
        tokens = read_tokens(folder / TOKEN_FOLDER, information["dimension"])
        if not tokens.items.index.is_unique:
            name = tokens.items.index[tokens.items.index.duplicated()][0]
            raise StoreError(
                f"{folder}: the tokens of {name} do not stand together; was the store merged by hand? "
                "Merge with: python -m features merge STORE … --out STORE"
            )
        return cls(folder, information, tokens.vectors, tokens.items, tokens.kinds)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @property
    def encoder(self) -> str:
        """Name of the encoder that made the vectors."""
        return str(self.information["encoder"])

    def missing(self, keys: Iterable[str]) -> list[str]:
        """The keys that the store does not hold, each once, in order."""
        wanted = list(dict.fromkeys(keys))
        return [wanted[place] for place in np.flatnonzero(self._places(wanted) < 0)]

    def require(self, keys: Iterable[str]) -> None:
        """Raise StoreError that lists the keys which are missing, if any."""
        missing = self.missing(keys)
        if missing:
            shown = "\n  ".join(missing[:10])
            more = f"\n  … and {len(missing) - 10} more" if len(missing) > 10 else ""
            raise StoreError(
                f"{self.folder}: {len(missing)} keys have no embedding (the manifest's `reason` says why):\n  "
                f"{shown}{more}"
            )

    def tokens(self, key: str) -> np.ndarray:
        """All vectors of a key, float32 (tokens, dimension). Raises StoreError for an unknown key."""
        if key not in self.items.index:
            self.require([key])
        place = self.items.index.get_loc(key)
        first, count = (int(self.items[name].to_numpy()[place]) for name in ("first", "count"))
        return self.vectors[first : first + count]

    def primary(self, key: str) -> np.ndarray:
        """The whole-utterance vector or the unmirrored crop's vector of a key, float32 (dimension,).

        Raises StoreError for an unknown key, or one that has neither.
        """
        return self.vectors[self.primary_rows([key])[0]]

    def primary_rows(self, keys: Sequence[str]) -> np.ndarray:
        """Which row of `vectors` is the primary one (see `primary`) of each key, int64 (keys,)."""
        self.require(keys)
        places = self._places(keys)
        primaries = self._primaries
        first = self.items["first"].to_numpy()[places]
        nearest = np.searchsorted(primaries, first)
        rows = np.append(primaries, len(self.vectors))[nearest]
        lacking = np.flatnonzero(rows >= first + self.items["count"].to_numpy()[places])
        if len(lacking):
            raise StoreError(
                f"{self.folder}: {len(lacking)} keys have no token of the kind {' or '.join(PRIMARY_KINDS)}, "
                f"among them {keys[lacking[0]]}; extract them again: python -m features WORK"
            )
        return rows

    @cached_property
    def _primaries(self) -> np.ndarray:
        """Rows of the primary tokens, ascending."""
        return np.flatnonzero(np.isin(self.token_kinds, PRIMARY_KINDS))

    def _places(self, keys: Sequence[str]) -> np.ndarray:
        """The row of `items` of each key, int64 (keys,); -1 for a key that is not there."""
        return self.items.index.get_indexer(
            pd.Index(np.array(keys, object), dtype=self.items.index.dtype.name)
        )
