"""Submissions of the challenges: written, checked as the challenge's scorer would, zipped, and read again.

A submission is a zip of four text files, in the folders of the challenge's tracks where it has some; each line is
`trial_id score`, every trial of its list stands in it exactly once, and lower means the same person
(src/core/polarity.py).
"""

import math
import zipfile
import zlib
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
_LARGEST_EXPANSION, _SMALL_BYTES = 100, 1 << 20  # texts of scores shrink to a fifth or so


def write_submission(
    path: Path,
    scores: Mapping[Cell, Mapping[str, float]],
    lists: Mapping[Cell, Sequence[Trial]],
    prefix: str = DEFAULT_PREFIX,
) -> None:
    """Zip the scores of each cell, atomically and always to the same bytes.

    lists: trials of each cell. Raises SubmissionError with everything that the challenge's scorer
    would reject; nothing is written then.
    """
    files = {cell.file_name(prefix): format_scores(values).encode("utf-8") for cell, values in scores.items()}
    problems = submission_problems(files, expected_ids(lists, prefix))
    if problems:
        raise SubmissionError(f"{path}: not written, the scorer would reject it:\n  " + "\n  ".join(problems))
    write_submission_files(path, files)


def write_submission_files(path: Path, files: Mapping[str, bytes]) -> None:
    """Zip files by name, atomically and always to the same bytes; `write_submission` checks them first."""
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, _READABLE_FILE
            archive.writestr(entry, content)


def expected_ids(lists: Mapping[Cell, Sequence[Trial]], prefix: str) -> dict[str, list[str]]:
    """Name of each file of a submission → trial ids of its list."""
    return {cell.file_name(prefix): [trial.trial_id for trial in trials] for cell, trials in lists.items()}


def submission_problems(files: Mapping[str, bytes], expected: Mapping[str, Sequence[str]]) -> list[str]:
    """Everything that a challenge's scorer would reject, a line each; empty when all is well.

    files: name → content. expected: name → trial ids of its list.
    """
    problems = [f"{name}: missing" for name in sorted(expected.keys() - files.keys())]
    for name in sorted(files.keys() - expected.keys()):
        folder = name.rpartition("/")[0]
        inner = folder and folder not in {wanted.rpartition("/")[0] for wanted in expected}
        where = f"lies in the folder {folder}/" if inner else "is not a file of this challenge"
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
    files = read_submission_files(path)
    names = cells_of_file_names(files)
    return {
        cell: parse_scores(_text(files[name], path, name), f"{path}, {name}") for cell, name in names.items()
    }


def read_score_columns_of(path: Path) -> ScoreColumns:
    """Scores of one score file. Raises ListError when it is malformed, or is a submission."""
    if path.is_dir() or zipfile.is_zipfile(path):
        raise ListError(f"{path}: is a submission; its truth is a folder of <Language>_test.csv files")
    return read_score_columns(path)


def read_submission_files(path: Path) -> dict[str, bytes]:
    """Name → content of every file of a submission zip, or of a folder of its files.

    Raises SubmissionError where it is missing, damaged, or holds a name twice.
    """
    if path.is_dir():
        found = sorted(path.rglob("*heard.txt"))
        return {file.relative_to(path).as_posix(): file.read_bytes() for file in found}
    if not path.is_file():
        raise SubmissionError(f"{path}: no such submission")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            repeated = [name for name, count in Counter(names).items() if count > 1]
            if repeated:
                raise SubmissionError(f"{path}: holds {', '.join(repeated)} more than once")
            claimed_bytes = sum(archive.getinfo(name).file_size for name in names)
            if claimed_bytes > _LARGEST_EXPANSION * path.stat().st_size + _SMALL_BYTES:
                raise SubmissionError(f"{path}: would unpack to {claimed_bytes:,} bytes, which no scores do")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError, zlib.error) as error:
        raise SubmissionError(f"{path}: damaged, locked, or not a zip file: {error}") from error


def _text(content: bytes, path: Path, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{path}, {name}: not a text file in UTF-8") from error
