"""The table of source files: one row a raw voice or face, as found by the scan; one row a frame that is taken of a video."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
# in memory, a name that thousands of rows share is there once
_NAMES = pa.dictionary(pa.int32(), pa.string())
_NAME_COLUMNS = ("modality", "identity", "language", "video", "split")
ROWS_SCHEMA = pa.schema(
    {**dict(SOURCE_FIELDS), "key": pa.large_string(), **dict.fromkeys(_NAME_COLUMNS, _NAMES)}
)
_ROW_GROUP = 1 << 20
_ROWS_AT_ONCE = 1 << 16
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


class SourceRows(Sequence[SourceRecord]):
    """Records that stay in a table until one is asked for, so that millions of them are no objects.

    table: of ROWS_SCHEMA, each column in one chunk.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table.cast(ROWS_SCHEMA).combine_chunks()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, place: int) -> SourceRecord: ...
    @overload
    def __getitem__(self, place: slice) -> list[SourceRecord]: ...
    def __getitem__(self, place: int | slice) -> SourceRecord | list[SourceRecord]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return SourceRecord(**self.table.slice(at, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[SourceRecord]:
        for batch in self.table.to_batches(max_chunksize=_ROWS_AT_ONCE):
            for row in batch.to_pylist():
                yield SourceRecord(**row)

    def of(self, modality: Modality) -> "SourceRows":
        """Those of one modality, in order."""
        wanted = pc.equal(self.table["modality"], modality)
        return self if pc.all(wanted).as_py() else SourceRows(self.table.filter(wanted))

    def take(self, places: np.ndarray) -> "SourceRows":
        """Those at `places`, int64 (rows,), in that order."""
        in_order = np.array_equal(places, np.arange(len(self)))
        return self if in_order else SourceRows(self.table.take(pa.array(places)))

    def ranks(self, column: str) -> np.ndarray:
        """int64 (rows,): the place of each row's name among the different names, in their order."""
        encoded = self.table[column].combine_chunks()
        names = encoded.dictionary.to_pylist()
        places = {name: place for place, name in enumerate(sorted(set(names)))}
        return np.array([places[name] for name in names], np.int64)[encoded.indices.to_numpy()]

    def counts(self, *columns: str) -> Counter[tuple[str, ...]]:
        """Of the rows, by the names in these columns."""
        groups = self.table.select(columns).group_by(columns).aggregate([([], "count_all")])
        names = zip(*(groups[column].to_pylist() for column in columns), strict=True)
        return Counter(dict(zip(names, groups["count_all"].to_pylist(), strict=True)))

    def file_keys(self) -> pa.ChunkedArray:
        """Of each row, as `SourceRecord.file_key`."""
        keys, times = self.table["key"], self.table["time_seconds"]
        if times.null_count == len(times):
            return keys
        files = pc.replace_substring_regex(keys, f"{_FRAME_MARK}[^#]*$", "")
        return pc.if_else(pc.is_null(times), keys, files)


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
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, SOURCE_SCHEMA, compression="zstd") as writer,
    ):
        if not isinstance(records, SourceRows):
            writer.write_table(source_table(records), row_group_size=_ROW_GROUP)
            return
        for start in range(0, max(1, len(records)), _ROW_GROUP):
            writer.write_table(records.table.slice(start, _ROW_GROUP).cast(SOURCE_SCHEMA))


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
