"""Lists of the field: training pairs and test trials.

Fields are separated by white space; stored copies have CRLF line endings, both are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.artifacts.field_columns import read_columns, refuse_repeated
from src.core.files import write_text


@dataclass(frozen=True)
class TrainingPair:
    """A voice and a face of one identity, as paths relative to `voices/` and `faces/`."""

    voice: str
    face: str


@dataclass(frozen=True)
class Trial:
    """A question: are this voice and this face one person? Paths are relative to the data set."""

    trial_id: str
    voice: str
    face: str


def read_training_pairs(path: Path) -> list[TrainingPair]:
    """Read a `<Language>_train.txt`. Raises ListError that names malformed lines."""
    return list(map(TrainingPair, *_columns(path, ("voice", "face"))))


def read_trials(path: Path) -> list[Trial]:
    """Read a `<Language>_test.txt`. Raises ListError that names malformed lines or repeated ids."""
    ids, voices, faces = _columns(path, ("trial id", "voice", "face"))
    refuse_repeated(ids, path)
    return list(map(Trial, ids, voices, faces))


def write_training_pairs(path: Path, pairs: Sequence[TrainingPair]) -> None:
    """Write a training list as published: one space, CRLF."""
    write_text(path, "".join(f"{pair.voice} {pair.face}\r\n" for pair in pairs))


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    """Write a test list as published: one space, CRLF."""
    write_text(path, "".join(f"{trial.trial_id} {trial.voice} {trial.face}\r\n" for trial in trials))


def _columns(path: Path, names: Sequence[str]) -> list[list[str]]:
    return [column.to_pylist() for column in read_columns(path, names).columns]
