"""What the features stage works on: the rows of a work folder's manifests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from src.artifacts.embedding_store import MANIFEST_SCHEMA, token_table
from src.artifacts.sources import Modality, SourceRecord, source_columns
from src.core.errors import DatasetError
from src.core.stage import DONE, FAILED, PartTables, read_parts


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanMedium:
    """One row of a preprocessing manifest.

    source: the raw file.
    output: path of the clean medium, relative to the work folder; empty where preprocessing failed.
    reason: why it failed; empty otherwise.
    """

    source: SourceRecord
    output: str
    reason: str


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


def read_clean_media(work: Path, modality: Modality) -> list[CleanMedium]:
    """The manifest that preprocessing left for a modality, in its order.

    Raises DatasetError when the work folder has none.
    """
    try:
        rows = read_parts(work / modality / "manifest").to_pylist()
    except FileNotFoundError as error:
        raise DatasetError(
            f"{work}: holds no preprocessed {modality}s. Make them: "
            f"python -m preprocessing DATASET --out {work} --modality {modality}"
        ) from error
    return clean_media(rows)


def clean_media(rows: Sequence[Mapping[str, Any]]) -> list[CleanMedium]:
    """Rows of a preprocessing manifest as what the features stage works on, in their order."""
    return [
        CleanMedium(
            source=SourceRecord(**source_columns(row)),
            output=row["output"] if row["status"] == DONE else "",
            reason="" if row["status"] == DONE else row["reason"],
        )
        for row in rows
    ]


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
