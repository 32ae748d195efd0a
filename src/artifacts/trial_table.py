"""Test lists in columns: what lists of many millions of trials take."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from src.artifacts.field_columns import read_columns, refuse_repeated
from src.artifacts.sources import Modality
from src.artifacts.trials import Trial
from src.artifacts.truths import is_verification_list, read_truth

_COLUMNS = ("trial id", "voice", "face")


@dataclass(frozen=True)
class MediaColumn:
    """One medium a trial: `paths` has each once, `rows` says which it is, int32 (trials,)."""

    paths: list[str]
    rows: np.ndarray

    @classmethod
    def of(cls, paths: pa.Array | pa.ChunkedArray) -> "MediaColumn":
        """From the paths of all trials, dictionary-encoded or not."""
        column = paths.combine_chunks() if isinstance(paths, pa.ChunkedArray) else paths
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        rows = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int32)
        return cls(encoded.dictionary.to_pylist(), rows)

    def path(self, trial: int | np.integer) -> str:
        """The path of one trial."""
        return self.paths[self.rows[trial]]


@dataclass(frozen=True)
class TrialTable:
    """Trials in list order. trial_ids: texts (trials,), each once."""

    trial_ids: pa.StringArray
    voice: MediaColumn
    face: MediaColumn

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> "TrialTable":
        """The same trials in columns."""
        rows = [(trial.trial_id, trial.voice, trial.face) for trial in trials]
        ids, voices, faces = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
        return cls(ids, MediaColumn.of(voices), MediaColumn.of(faces))

    @classmethod
    def read(cls, path: Path) -> "TrialTable":
        """Read a `<Language>_test.txt`, or a published verification list, in the memory of its columns.

        Raises ListError that names malformed lines and repeated ids.
        """
        if is_verification_list(path):
            truth = read_truth(path)
            voices, faces = (MediaColumn.of(pa.array(truth[name], pa.string())) for name in ("voice", "face"))
            return cls(pa.array(truth.index, pa.string()), voices, faces)
        table = read_columns(path, _COLUMNS, encoded=_COLUMNS[1:])
        ids = table["trial id"].combine_chunks()
        refuse_repeated(ids, path)
        return cls(ids, MediaColumn.of(table["voice"]), MediaColumn.of(table["face"]))

    def __len__(self) -> int:
        return len(self.trial_ids)

    def column(self, modality: Modality) -> MediaColumn:
        """The media of one modality."""
        return self.voice if modality == "voice" else self.face

    def trial_id(self, trial: int | np.integer) -> str:
        """The id of one trial."""
        return str(self.trial_ids[int(trial)])
