"""The table of source files: one row a raw voice or face, as found by the scan."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from src.core.errors import DatasetError
from src.core.files import atomic_path

Modality = Literal["voice", "face"]
Split = Literal["train", "test"]
MODALITIES: tuple[Modality, ...] = ("voice", "face")

SOURCE_FIELDS = [
    ("key", pa.string()),
    ("modality", pa.string()),
    ("identity", pa.string()),
    ("language", pa.string()),
    ("video", pa.string()),
    ("split", pa.string()),
    ("size_bytes", pa.int64()),
]
SOURCE_SCHEMA = pa.schema(SOURCE_FIELDS)


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """One raw file.

    key: path relative to the data set's root, with forward slashes; unique.
    identity: who it is, reconciled over both modalities; empty for test media, whose people are unknown.
    video: the video (folder) that it comes from; empty for test media.
    size_bytes: the file's size at the scan, so that a changed file is processed anew.
    """

    key: str
    modality: Modality
    identity: str
    language: str
    video: str
    split: Split
    size_bytes: int


def source_table(records: Iterable[SourceRecord]) -> pa.Table:
    """The records as a table of SOURCE_SCHEMA."""
    return pa.Table.from_pylist([asdict(record) for record in records], schema=SOURCE_SCHEMA)


def write_sources(path: Path, records: Sequence[SourceRecord]) -> None:
    """Write the records as one Parquet file, atomically."""
    with atomic_path(path) as temporary:
        pq.write_table(source_table(records), temporary, compression="zstd")


def read_sources(work: Path) -> list[SourceRecord]:
    """Read `sources.parquet` of a work folder."""
    path = work / "sources.parquet"
    if not path.is_file():
        raise DatasetError(
            f"{work}: not a work folder (it has no sources.parquet). Make one: python -m preprocessing DATASET --out {work}"
        )
    return [SourceRecord(**row) for row in pq.read_table(path).to_pylist()]


def source_columns(row: dict[str, Any]) -> dict[str, Any]:
    """The source columns of a wider manifest row."""
    return {name: row[name] for name, _ in SOURCE_FIELDS}


def output_path(folder: str, key: str, suffix: str) -> str:
    """Where a stage keeps what it made of `key`: below `folder`, the suffix replaced, or added where
    it differs only by letter case or stands for another format, so that two keys never share a file.

    >>> output_path("voice/clean", "voices/id1/a.wav", ".wav")
    'voice/clean/voices/id1/a.wav'
    >>> output_path("voice/clean", "voices/id1/a.flac", ".wav")
    'voice/clean/voices/id1/a.flac.wav'
    """
    return f"{folder}/{key}" if key.endswith(suffix) else f"{folder}/{key}{suffix}"
