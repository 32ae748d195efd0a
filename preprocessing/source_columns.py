"""Gathers the sources of a data set column by column, folder by folder; a table, in order, when all are there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.layouts import PlacedFile, PlacedFolder
from preprocessing.video_records import PlacedSource
from src.artifacts.sources import ROWS_SCHEMA, Modality, SourceRows, frame_key

_KEYS_IN_CHUNK = 1 << 18


class SourceColumns:
    """Rows in blocks of which the layouts say the same: the files of a folder, or a single source."""

    def __init__(self) -> None:
        self._places: list[PlacedFile] = []
        self._counts: list[int] = []
        self._keys: list[str] = []
        self._chunks: list[pa.Array] = []
        self._sizes_bytes: list[np.ndarray] = []
        self._modified_ns: list[np.ndarray] = []
        self._times_seconds: dict[int, float] = {}
        self._rows = 0

    @property
    def places(self) -> Sequence[PlacedFile]:
        """What the layouts say of each block."""
        return self._places

    def add_folder(self, folder: PlacedFolder) -> None:
        """Its files, each as a whole."""
        self._add(folder.place, folder.keys, folder.sizes_bytes, folder.modified_ns)

    def add_source(self, source: PlacedSource) -> None:
        """A file, or a frame of one."""
        file, time_seconds = source.file, source.time_seconds
        key = file.key if time_seconds is None else frame_key(file.key, time_seconds)
        if time_seconds is not None:
            self._times_seconds[self._rows] = time_seconds
        self._add(file, [key], [file.size_bytes], [file.modified_ns])

    def known(self, keys: Collection[str]) -> set[str]:
        """Those of `keys` that a row has. Every call goes through all rows: ask once."""
        self._close_chunk()
        asked = pa.array(list(keys), pa.large_string())
        return set(asked.filter(pc.is_in(asked, pa.chunked_array(self._chunks))).to_pylist())

    def rows(self, names: Mapping[Modality, Mapping[str, str]]) -> SourceRows:
        """All, in the order of records: by file, the frames of a video by time.

        names: of persons, by modality and folder.
        """
        self._close_chunk()
        columns = {
            "key": pa.chunked_array(self._chunks, pa.large_string()),
            "modality": self._repeated([place.modality for place in self._places]),
            "identity": self._repeated(
                [names[place.modality][place.person] if place.person else "" for place in self._places]
            ),
            "language": self._repeated([place.language for place in self._places]),
            "video": self._repeated([place.video for place in self._places]),
            "split": self._repeated([place.split for place in self._places]),
            "size_bytes": _joined(self._sizes_bytes),
            "time_seconds": self._times(),
            "modified_ns": _joined(self._modified_ns),
        }
        self._chunks, self._sizes_bytes, self._modified_ns = [], [], []
        return _in_order(SourceRows(pa.table(columns, ROWS_SCHEMA)))

    def _add(
        self, place: PlacedFile, keys: Sequence[str], sizes_bytes: Sequence[int], modified_ns: Sequence[int]
    ) -> None:
        self._places.append(place)
        self._counts.append(len(keys))
        self._rows += len(keys)
        self._keys.extend(keys)
        self._sizes_bytes.append(np.asarray(sizes_bytes, np.int64))
        self._modified_ns.append(np.asarray(modified_ns, np.int64))
        if len(self._keys) >= _KEYS_IN_CHUNK:
            self._close_chunk()

    def _close_chunk(self) -> None:
        self._chunks.append(pa.array(self._keys, pa.large_string()))
        self._keys = []

    def _repeated(self, values: Sequence[str]) -> pa.DictionaryArray:
        encoded = pa.array(values, pa.string()).dictionary_encode()
        codes = np.repeat(encoded.indices.to_numpy(), self._counts)
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), encoded.dictionary)

    def _times(self) -> pa.Array:
        if not self._times_seconds:
            return pa.nulls(self._rows, pa.float64())
        times = np.full(self._rows, np.nan)
        times[list(self._times_seconds)] = list(self._times_seconds.values())
        return pa.array(times, from_pandas=True)


def _joined(blocks: Sequence[np.ndarray]) -> Any:
    return np.concatenate(blocks) if blocks else np.empty(0, np.int64)


def _in_order(rows: SourceRows) -> SourceRows:
    """Folders come in order, so that there is mostly nothing to do."""
    files = rows.file_keys()
    times = rows.table["time_seconds"]
    if times.null_count == len(rows) and pc.all(pc.less_equal(files[:-1], files[1:])).as_py():
        return rows
    table = pa.table({"file": files, "seconds": pc.fill_null(times, 0.0)})
    places = pc.sort_indices(table, [("file", "ascending"), ("seconds", "ascending")])
    return rows.take(places.to_numpy())
