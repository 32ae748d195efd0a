"""Lists of the field: training pairs, test trials, and their truth.

Fields are separated by white space; stored copies have CRLF line endings, both are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.core.errors import ListError
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
    return [TrainingPair(*fields) for fields in _rows(path, ("voice", "face"))]


def read_trials(path: Path) -> list[Trial]:
    """Read a `<Language>_test.txt`. Raises ListError that names malformed lines or repeated ids."""
    trials = [Trial(*fields) for fields in _rows(path, ("trial id", "voice", "face"))]
    _refuse_repeated([trial.trial_id for trial in trials], path)
    return trials


def write_training_pairs(path: Path, pairs: Sequence[TrainingPair]) -> None:
    """Write a training list as published: one space, CRLF."""
    write_text(path, "".join(f"{pair.voice} {pair.face}\r\n" for pair in pairs))


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    """Write a test list as published: one space, CRLF."""
    write_text(path, "".join(f"{trial.trial_id} {trial.voice} {trial.face}\r\n" for trial in trials))


def read_truth(path: Path) -> pd.DataFrame:
    """Read truths: a CSV with a header that has `trial_id` and `label`, or plain lines `id label`.

    Returns a frame indexed by trial_id with an integer `label` (1 = same person, 0 = different) and any
    further columns of the CSV. Raises ListError for repeated ids and labels that are neither 0 nor 1.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such truth file")
    try:
        with path.open(encoding="utf-8-sig") as stream:
            first = stream.readline()
        if "trial_id" in first and "," in first:
            truth = pd.read_csv(path, dtype={"trial_id": str})
        else:
            rows = list(_rows(path, ("trial id", "label")))
            truth = pd.DataFrame(rows, columns=["trial_id", "label"])
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise ListError(f"{path}: not readable as a truth: {error}") from error
    if "label" not in truth.columns:
        raise ListError(f"{path}: the header lacks `label`; it has {', '.join(truth.columns)}")
    label = pd.to_numeric(truth["label"], errors="coerce")
    wrong = ~label.isin([0, 1])
    if wrong.any():
        row = truth[wrong].iloc[0]
        raise ListError(
            f"{path}: trial {row['trial_id']} has the label {row['label']!r}; it must be 1 (same person) or 0"
        )
    truth["label"] = label.astype(int)
    _refuse_repeated(truth["trial_id"].tolist(), path)
    return truth.set_index("trial_id")


def _rows(path: Path, names: Sequence[str]) -> Iterator[list[str]]:
    if not path.is_file():
        raise ListError(f"{path}: no such list")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error
    malformed = []
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) == len(names):
            yield fields
        else:
            malformed.append(f"line {number}: {line[:80]!r}")
    if malformed:
        shown = "\n  ".join(malformed[:5])
        raise ListError(
            f"{path}: {len(malformed)} lines do not have the {len(names)} fields ({', '.join(names)}):\n  {shown}"
        )


def _refuse_repeated(trial_ids: Sequence[str], path: Path) -> None:
    seen: set[str] = set()
    repeated = sorted({name for name in trial_ids if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
    if repeated:
        raise ListError(f"{path}: {len(repeated)} trial ids stand more than once: {', '.join(repeated[:5])}")
