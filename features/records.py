"""What the features stage makes of clean media: tokens, or the reason why there are none."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from src.artifacts.clean_media import CleanMedium
from src.artifacts.embedding_store import MANIFEST_SCHEMA, token_table
from src.core.stage import DONE, FAILED, PartTables


@dataclass(frozen=True, kw_only=True)
class MediumTokens:
    """What became of one medium: its tokens, or the reason why it has none.

    kinds: of each token. vectors: float32 (tokens, dimension). qualities: of each token (seconds of
    speech for a voice; 1 for a face).
    """

    medium: CleanMedium
    kinds: Sequence[str] = ()
    vectors: np.ndarray | None = None
    qualities: Sequence[float] = ()
    reason: str = ""


def part_tables(results: Sequence[MediumTokens], dimension: int) -> PartTables:
    """The tables `tokens` and `manifest` of one part."""
    vectors = [result.vectors for result in results if result.vectors is not None]
    return {
        "tokens": token_table(
            [row for result in results for row in _token_rows(result)],
            np.concatenate(vectors) if vectors else np.empty((0, dimension), np.float32),
        ),
        "manifest": _manifest(results),
    }


def lost_media_rows(media: Sequence[CleanMedium], reason: str) -> pa.Table:
    """Manifest rows of media over which the worker was lost."""
    return _manifest([MediumTokens(medium=medium, reason=reason) for medium in media])


def _manifest(results: Sequence[MediumTokens]) -> pa.Table:
    rows = [
        {
            **asdict(result.medium.source),
            "status": FAILED if result.reason else DONE,
            "reason": result.reason,
            "tokens": len(result.kinds),
        }
        for result in results
    ]
    return pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA)


def _token_rows(result: MediumTokens) -> list[dict[str, Any]]:
    source = result.medium.source
    identity = {name: getattr(source, name) for name in ("key", "identity", "language", "video", "split")}
    return [
        {**identity, "token_index": index, "token_kind": kind, "quality": quality}
        for index, (kind, quality) in enumerate(zip(result.kinds, result.qualities, strict=True))
    ]
