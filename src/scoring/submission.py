"""Submissions of the FAME challenges: written, checked as the challenge's scorer would, zipped, and read again.

A submission is a zip of four text files with no folder inside; each line is `trial_id score`, every trial
of its list stands in it exactly once, and lower means the same person (src/core/polarity.py).
"""

import math
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.artifacts.scores import ScoreColumns, format_scores, parse_scores, read_score_columns
from src.artifacts.trials import Trial
from src.core.errors import ListError, SubmissionError
from src.core.files import atomic_path
from src.scoring.cells import DEFAULT_PREFIX, Cell, cells_of_file_names

# One time stamp for every file (the earliest that a zip can hold), so that the same scores are the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16
_SHOWN_PROBLEMS = 5


def write_submission(
    path: Path,
    scores: Mapping[Cell, Mapping[str, float]],
    lists: Mapping[str, Sequence[Trial]],
    prefix: str = DEFAULT_PREFIX,
) -> None:
    """Zip the scores of each cell, atomically and always to the same bytes.

    lists: trials of each test language. Raises SubmissionError with everything that the challenge's scorer
    would reject; nothing is written then.
    """
    files = {cell.file_name(prefix): format_scores(values).encode("utf-8") for cell, values in scores.items()}
    expected = {
        cell.file_name(prefix): [trial.trial_id for trial in lists[cell.test_language]] for cell in scores
    }
    problems = submission_problems(files, expected)
    if problems:
        raise SubmissionError(f"{path}: not written, the scorer would reject it:\n  " + "\n  ".join(problems))
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, _READABLE_FILE
            archive.writestr(entry, content)


def submission_problems(files: Mapping[str, bytes], expected: Mapping[str, Sequence[str]]) -> list[str]:
    """Everything that a challenge's scorer would reject, a line each; empty when all is well.

    files: name → content. expected: name → trial ids of its list.
    """
    problems = [f"{name}: missing" for name in sorted(expected.keys() - files.keys())]
    for name in sorted(files.keys() - expected.keys()):
        where = "lies in a folder" if "/" in name else "is not a file of this challenge"
        problems.append(f"{name}: {where}; expected are {', '.join(sorted(expected))}")
    for name in sorted(files.keys() & expected.keys()):
        problems += [f"{name}: {problem}" for problem in _file_problems(files[name], expected[name])]
    return problems


def _file_problems(content: bytes, expected: Sequence[str]) -> list[str]:
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return ["not a text in UTF-8"]
    if lines[-1] == "":
        lines.pop()
    malformed: list[str] = []
    counts: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        trial_id, space, score = line.partition(" ")
        counts[trial_id] += 1
        if not (trial_id and space and _is_plain_number(score)):
            malformed.append(f"line {number} ({line[:60]!r})")
    wanted = set(expected)
    kinds = {
        "lines are not `id score` with one space and a finite number": malformed,
        "ids are missing": [name for name in dict.fromkeys(expected) if name not in counts],
        "ids are not in the list": [name for name in counts if name not in wanted],
        "ids stand more than once": [name for name, count in counts.items() if count > 1],
        "trials in the list: nothing to score": [] if expected else ["0"],
    }
    return [
        f"{len(names)} {what}: {', '.join(names[:_SHOWN_PROBLEMS])}{' …' if len(names) > _SHOWN_PROBLEMS else ''}"
        for what, names in kinds.items()
        if names
    ]


def _is_plain_number(text: str) -> bool:
    try:
        return text == text.strip() and "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def read_submission(path: Path) -> dict[Cell, dict[str, float]]:
    """Scores of each cell from a submission zip, or from a folder of its four files.

    Raises SubmissionError when it is neither, and ListError for lines that are not `trial_id score`.
    """
    files = _read_folder(path) if path.is_dir() else _read_zip(path)
    names = cells_of_file_names(files)
    return {
        cell: parse_scores(_text(files[name], path, name), f"{path}, {name}") for cell, name in names.items()
    }


def read_score_columns_of(path: Path) -> ScoreColumns:
    """Scores of one score file. Raises ListError when it is malformed, or is a submission."""
    if path.is_dir() or zipfile.is_zipfile(path):
        raise ListError(f"{path}: is a submission; its truth is a folder of <Language>_test.csv files")
    return read_score_columns(path)


def _read_folder(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.glob("*heard.txt")}


def _read_zip(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise SubmissionError(f"{path}: no such submission")
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise SubmissionError(f"{path}: damaged, or not a zip file: {error}") from error


def _text(content: bytes, path: Path, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{path}, {name}: not a text file in UTF-8") from error
