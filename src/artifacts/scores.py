"""Score files as the challenges read them: `trial_id score`, one space, LF, no header.

What a score means is stated in src/core/polarity.py: lower = same person.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from src.core.errors import ListError
from src.core.files import write_text


def write_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Write scores in the given order. Raises ListError for a score that is not finite."""
    write_text(path, format_scores(scores))


def format_scores(scores: Mapping[str, float]) -> str:
    """The text of a score file. Raises ListError for a score that is not finite."""
    wrong = [name for name, score in scores.items() if not math.isfinite(score)]
    if wrong:
        raise ListError(f"{len(wrong)} scores are not finite, of the trials {', '.join(wrong[:5])}")
    return "".join(f"{name} {score:.8g}\n" for name, score in scores.items())


def read_scores(path: Path) -> dict[str, float]:
    """Read a score file. Raises ListError that names malformed lines and repeated ids."""
    if not path.is_file():
        raise ListError(f"{path}: no such score file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error
    return parse_scores(text, str(path))


def parse_scores(text: str, source: str) -> dict[str, float]:
    """Parse the text of a score file; `source` names it in errors."""
    scores: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            name, value = fields[0], float(fields[1])
        except (IndexError, ValueError) as error:
            raise ListError(f"{source}, line {number}: not `trial_id score`: {line[:80]!r}") from error
        if len(fields) != 2 or not math.isfinite(value):
            raise ListError(
                f"{source}, line {number}: not `trial_id score` with a finite score: {line[:80]!r}"
            )
        if name in scores:
            raise ListError(f"{source}, line {number}: the trial {name} stands more than once")
        scores[name] = value
    return scores
