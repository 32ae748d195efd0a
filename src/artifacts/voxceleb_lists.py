"""VoxCeleb's lists of the face–voice protocols, read and written as they are published.

verification   id,voice-speaker-id,face-speaker-id,label,voice-path,face-path      CSV with that header
matching       PROBE TRUE OTHER …                                                  the true candidate first
retrieval      VoxCeleb1 ID<TAB>jpg, VoxCeleb1 ID<TAB>wav                          one list a modality, with that header
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.artifacts.media_identities import read_table
from src.artifacts.sources import Modality
from src.artifacts.trials import Trial
from src.artifacts.truths import VERIFICATION_HEADER
from src.core.errors import ListError
from src.core.files import write_text

IDENTITY_COLUMN = "VoxCeleb1 ID"
KEY_COLUMNS: dict[Modality, str] = {"voice": "wav", "face": "jpg"}
_SHOWN = 5


@dataclass(frozen=True)
class Question:
    """A matching question: which candidate is the probe's person? The true one stands first."""

    probe: str
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class KnownTrial:
    """A verification trial and who is in it."""

    trial: Trial
    voice_identity: str
    face_identity: str


@dataclass(frozen=True)
class KnownMedium:
    """A medium of a retrieval list and who is in it."""

    identity: str
    key: str


def read_matching_list(path: Path) -> list[Question]:
    """Read a matching list; fields are separated by white space, and all questions have the same number of candidates.

    Raises ListError that names lines with fewer than two candidates, another number of them than the first, or a
    candidate that stands twice.
    """
    lines = _numbered_lines(path)
    rows = [(number, line.split()) for number, line in lines]
    width = len(rows[0][1])
    wrong = [number for number, fields in rows if len(fields) < 3 or len(fields) != width]
    if wrong:
        raise ListError(
            f"{path}: {len(wrong)} lines do not have a probe and {max(2, width - 1)} candidates: lines {_numbers(wrong)}"
        )
    twice = [number for number, fields in rows if len(set(fields[1:])) != len(fields) - 1]
    if twice:
        raise ListError(f"{path}: {len(twice)} questions have a candidate twice: lines {_numbers(twice)}")
    return [Question(fields[0], tuple(fields[1:])) for _, fields in rows]


def write_matching_list(path: Path, questions: Sequence[Question]) -> None:
    """Write a matching list as published: one space, LF, no header."""
    write_text(path, "".join(" ".join((one.probe, *one.candidates)) + "\n" for one in questions))


def read_retrieval_list(path: Path, modality: Modality) -> list[KnownMedium]:
    """Read who is in which medium. Raises ListError for other columns, empty fields and media that stand twice."""
    table = read_table(path)
    wanted = (IDENTITY_COLUMN, KEY_COLUMNS[modality])
    if not set(wanted) <= set(table.columns):
        raise ListError(
            f"{path}: a list of {modality}s has the columns {' and '.join(wanted)}; found: {', '.join(table.columns)}"
        )
    table = table[list(wanted)]
    for faulty, what in (
        (table.isna().any(axis=1), "have an empty field"),
        (table[wanted[1]].duplicated(), "repeat a medium"),
    ):
        if faulty.any():
            lines = [row + 2 for row, wrong in enumerate(faulty) if wrong]
            raise ListError(f"{path}: {len(lines)} lines {what}: lines {_numbers(lines)}")
    if table.empty:
        raise ListError(f"{path}: holds no medium")
    return [KnownMedium(*row) for row in table.itertuples(index=False, name=None)]


def write_retrieval_list(path: Path, modality: Modality, media: Sequence[KnownMedium]) -> None:
    """Write who is in which medium as published: tabs, LF, with its header."""
    header = f"{IDENTITY_COLUMN}\t{KEY_COLUMNS[modality]}\n"
    write_text(path, header + "".join(f"{one.identity}\t{one.key}\n" for one in media))


def write_verification_list(path: Path, trials: Sequence[KnownTrial]) -> None:
    """Write trials with their answers as published: commas, LF, with its header."""
    rows = [
        (
            one.trial.trial_id,
            one.voice_identity,
            one.face_identity,
            int(one.voice_identity == one.face_identity),
            one.trial.voice,
            one.trial.face,
        )
        for one in trials
    ]
    frame = pd.DataFrame(rows, columns=list(VERIFICATION_HEADER))
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))


def _numbered_lines(path: Path) -> list[tuple[int, str]]:
    if not path.is_file():
        raise ListError(f"{path}: no such list")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error
    found = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise ListError(f"{path}: holds no line")
    return found


def _numbers(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:_SHOWN])) + (" …" if len(lines) > _SHOWN else "")
