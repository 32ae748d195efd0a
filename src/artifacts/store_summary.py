"""What a store holds, in numbers."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from src.artifacts.embedding_store import MANIFEST_FOLDER, TOKEN_FOLDER, EmbeddingStore
from src.artifacts.store_merge import read_manifest_part
from src.artifacts.store_reading import part_paths
from src.core.stage import FAILED

_BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class StoreSummary:
    """Counts of a store.

    information: store.json. parts: number of token files.
    keys: number of media. kinds: tokens by kind.
    groups: media and tokens by language and split: columns language, split, identities, media, tokens.
    media_per_identity: number of media of each known person, ascending.
    norm_quantiles: of the vectors' Euclidean norms: the smallest, the 5 %, 50 % and 95 % quantile, the largest; empty
        where there is no vector.
    failures: media without tokens by reason, from the manifest.
    """

    information: dict[str, Any]
    parts: int
    keys: int
    kinds: dict[str, int]
    groups: pd.DataFrame
    media_per_identity: np.ndarray
    norm_quantiles: np.ndarray
    failures: dict[str, int]


def summarise_store(folder: Path) -> StoreSummary:
    """Read a store and count. Raises StoreError for what cannot be opened."""
    store = EmbeddingStore.open(folder)
    items = store.items
    known = items["identity"][items["identity"] != ""]
    groups = items.groupby(["language", "split"], sort=True).agg(
        identities=("identity", lambda names: names[names != ""].nunique()),
        media=("count", "size"),
        tokens=("count", "sum"),
    )
    kinds, counts = np.unique(store.token_kinds.astype(str), return_counts=True)
    return StoreSummary(
        information=store.information,
        parts=len(part_paths(folder / TOKEN_FOLDER)),
        keys=len(items),
        kinds=dict(zip(kinds.tolist(), counts.tolist(), strict=True)),
        groups=groups.reset_index(),
        media_per_identity=np.sort(known.value_counts().to_numpy()),
        norm_quantiles=np.quantile(_norms(store.vectors), [0, 0.05, 0.5, 0.95, 1])
        if len(store.vectors)
        else np.empty(0),
        failures=_failures(folder),
    )


def _norms(vectors: np.ndarray) -> np.ndarray:
    """Euclidean norm of each vector, float64 (tokens,), without squares of all of them at once."""
    norms = np.empty(len(vectors))
    for first in range(0, len(vectors), _BLOCK_ROWS):
        block = vectors[first : first + _BLOCK_ROWS].astype(np.float64)
        norms[first : first + len(block)] = np.linalg.norm(block, axis=1)
    return norms


def _failures(folder: Path) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for path in part_paths(folder / MANIFEST_FOLDER):
        table = read_manifest_part(path).select(["status", "reason"]).to_pandas()
        reasons.update(table["reason"][table["status"] == FAILED])
    return dict(reasons.most_common())
