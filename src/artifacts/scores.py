"""Score files as the challenges read them: `trial_id score`, one space, LF, no header.

What a score means is stated in src/core/polarity.py: lower = same person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from src.artifacts.field_columns import line_numbers, read_columns, refuse_repeated
from src.core.errors import ListError
from src.core.files import atomic_path

_BLOCK_LINES = 65_536
_SHOWN = 5


@dataclass(frozen=True)
class ScoreColumns:
    """Scores of a list, in list order.

    trial_ids: texts (trials,), each once. scores: float64 (trials,), finite; lower = same person.
    """

    trial_ids: pa.StringArray
    scores: np.ndarray

    @classmethod
    def of(cls, scores: Mapping[str, float]) -> "ScoreColumns":
        """The same scores in columns."""
        return cls(pa.array(list(scores), pa.string()), np.array(list(scores.values()), np.float64))

    def __len__(self) -> int:
        return len(self.scores)

    def by_id(self) -> dict[str, float]:
        """Trial id → score, in list order; for lists that fit into a dictionary."""
        return dict(zip(self.trial_ids.to_pylist(), self.scores.tolist(), strict=True))


def write_scores(path: Path, scores: Mapping[str, float] | ScoreColumns) -> None:
    """Write scores in the given order, a block at a time. Raises ListError for a score that is not finite."""
    columns = scores if isinstance(scores, ScoreColumns) else ScoreColumns.of(scores)
    _refuse_infinite(columns)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for start in range(0, len(columns), _BLOCK_LINES):
            part = slice(start, start + _BLOCK_LINES)
            stream.write(_lines(ScoreColumns(columns.trial_ids[part], columns.scores[part])))


def format_scores(scores: Mapping[str, float]) -> str:
    """The text of a score file. Raises ListError for a score that is not finite."""
    columns = ScoreColumns.of(scores)
    _refuse_infinite(columns)
    return _lines(columns)


def read_score_columns(path: Path) -> ScoreColumns:
    """Read a score file. Raises ListError that names malformed lines and repeated ids."""
    if not path.is_file():
        raise ListError(f"{path}: no such score file")
    table = read_columns(path, ("trial_id", "score"))
    ids = table["trial_id"].combine_chunks()
    try:
        values = table["score"].cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:  # takes fewer spellings of a number than Python does
        values = np.array([_number_or_nan(text) for text in table["score"].to_pylist()])
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise ListError(
            f"{path}: {len(wrong)} scores are not finite numbers: {_described(path, table, wrong)}"
        )
    refuse_repeated(ids, path)
    return ScoreColumns(ids, values)


def read_scores(path: Path) -> dict[str, float]:
    """Read a score file into a dictionary; see `read_score_columns`."""
    return read_score_columns(path).by_id()


def parse_scores(text: str, source: str) -> dict[str, float]:
    """Parse the text of a score file; `source` names it in errors."""
    scores: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or not np.isfinite(_number_or_nan(fields[1])):
            raise ListError(
                f"{source}, line {number}: not `trial_id score` with a finite score: {line[:80]!r}"
            )
        if fields[0] in scores:
            raise ListError(f"{source}, line {number}: the trial {fields[0]} stands more than once")
        scores[fields[0]] = float(fields[1])
    return scores


def _lines(columns: ScoreColumns) -> str:
    pairs = zip(columns.trial_ids.to_pylist(), columns.scores.tolist(), strict=True)
    return "".join(f"{name} {score:.8g}\n" for name, score in pairs)


def _refuse_infinite(columns: ScoreColumns) -> None:
    wrong = np.flatnonzero(~np.isfinite(columns.scores))
    if len(wrong):
        names = ", ".join(str(columns.trial_ids[int(row)]) for row in wrong[:_SHOWN])
        raise ListError(f"{len(wrong)} scores are not finite, of the trials {names}")


def _number_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _described(path: Path, table: pa.Table, rows: np.ndarray) -> str:
    chosen = rows[:_SHOWN]
    fields = table.take(chosen).to_pylist()
    return ", ".join(
        f"line {line} ({row['trial_id']} {row['score']})"
        for line, row in zip(line_numbers(path, chosen), fields, strict=True)
    ) + (" …" if len(rows) > _SHOWN else "")
