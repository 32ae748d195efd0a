"""The table of source files: one row a raw voice or face, as found by the scan; one row a frame that is taken of a video."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
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
    ("time_seconds", pa.float64()),
    ("modified_ns", pa.int64()),
]
_LATER_FIELDS = frozenset({"time_seconds", "modified_ns"})  # former manifests may lack them
SOURCE_SCHEMA = pa.schema(SOURCE_FIELDS)
_FRAME_MARK = "#t="
_LONGEST_NAME_BYTES = 255  # what file systems take


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRecord:
    """One raw file, or one frame of a video.

    key: path relative to the data set's root, with forward slashes; of a frame, with its time (`frame_key`). Unique
        within its modality: a video's sound has the key of the file.
    identity: who it is, reconciled over both modalities; empty for test media, whose people are unknown.
    video: the video (folder, or file where frames are taken of it) that it comes from; empty for test media.
    size_bytes, modified_ns: the file's size, and when it was written last (nanoseconds since 1970, as its file system says)
        at the scan, so that a changed file is processed anew. They are only compared, so no clock need be right.
    time_seconds: of a frame, since the start of its video; None for a whole file.
    """

    key: str
    modality: Modality
    identity: str
    language: str
    video: str
    split: Split
    size_bytes: int
    time_seconds: float | None = field(default=None, repr=False)  # the key tells it too
    modified_ns: int = 0

    @property
    def file_key(self) -> str:
        """Path of the file, relative to the data set's root: the key without a frame's time."""
        return self.key if self.time_seconds is None else self.key.rpartition(_FRAME_MARK)[0]

    @property
    def order(self) -> tuple[str, float]:
        """What records are sorted by: the frames of a video stand together, by time."""
        return self.file_key, self.time_seconds or 0.0


def frame_key(file_key: str, time_seconds: float) -> str:
    """The key of a frame.

    >>> frame_key("faces/id1/a.mp4", 12)
    'faces/id1/a.mp4#t=12.000'
    """
    return f"{file_key}{_FRAME_MARK}{time_seconds:.3f}"


def source_table(records: Iterable[SourceRecord]) -> pa.Table:
    """The records as a table of SOURCE_SCHEMA."""
    listed = list(records)
    columns = [pa.array(list(map(attrgetter(name), listed)), kind) for name, kind in SOURCE_FIELDS]
    return pa.table(columns, schema=SOURCE_SCHEMA)


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
    return [SourceRecord(**source_columns(row)) for row in pq.read_table(path).to_pylist()]


def source_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """The source columns of a wider manifest row; former manifests lack some."""
    return {name: row[name] for name, _ in SOURCE_FIELDS if name in row or name not in _LATER_FIELDS}


def output_path(folder: str, key: str, suffix: str) -> str:
    """Where a stage keeps what it made of `key`: below `folder`, the suffix replaced, or added where
    it differs only by letter case or stands for another format, so that two keys never share a file.
    A name that would be too long for a file system is cut, and marked by a checksum of the key.

    >>> output_path("voice/clean", "voices/id1/a.wav", ".wav")
    'voice/clean/voices/id1/a.wav'
    >>> output_path("voice/clean", "voices/id1/a.flac", ".wav")
    'voice/clean/voices/id1/a.flac.wav'

    Raises DatasetError for a key that leads out of its folder.
    """
    if ".." in key.split("/") or "\0" in key:
        raise DatasetError(f"the key {key!r} leads out of its folder; it is no path within a data set")
    above, slash, name = key.rpartition("/")
    if not name.endswith(suffix):
        name += suffix
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        end = f"-{hashlib.sha256(key.encode()).hexdigest()[:16]}{suffix}"
        name = name.encode()[: _LONGEST_NAME_BYTES - len(end)].decode(errors="ignore") + end
    return f"{folder}/{above}{slash}{name}"
