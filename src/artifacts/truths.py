"""The answers to trials: are the voice and the face one person?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from src.artifacts.field_columns import line_numbers, read_columns, refuse_repeated
from src.core.errors import ListError

VOICE_IDENTITY, FACE_IDENTITY = "voice_identity", "face_identity"
VERIFICATION_HEADER = ("id", "voice-speaker-id", "face-speaker-id", "label", "voice-path", "face-path")
_OUR_NAMES = dict(
    zip(
        VERIFICATION_HEADER,
        ("trial_id", VOICE_IDENTITY, FACE_IDENTITY, "label", "voice", "face"),
        strict=True,
    )
)
_TEXTS = ("trial_id", "id", VOICE_IDENTITY, FACE_IDENTITY, *VERIFICATION_HEADER)
_SHOWN = 5


def read_truth(path: Path) -> pd.DataFrame:
    """Read truths: a CSV with a header that has `trial_id` and `label`, plain lines `id label`, or a verification
    list as published for VoxCeleb (VERIFICATION_HEADER).

    Returns a frame indexed by trial_id with an integer `label` (1 = same person, 0 = different) and any
    further columns of the CSV; of a verification list they are `voice_identity, face_identity, voice, face`.
    Raises ListError, which names lines, for repeated ids and labels that are neither 0 nor 1.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such truth file")
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = [name.strip() for name in stream.readline().split(",")]
        if len(header) == 1 or not {"trial_id", "id"} & set(header):
            return _checked(read_columns(path, ("trial_id", "label")).to_pandas(), path, header_lines=0)
        truth = pd.read_csv(
            path, dtype=dict.fromkeys(_TEXTS, str), encoding="utf-8-sig", skipinitialspace=True
        )
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise ListError(f"{path}: not readable as a truth: {error}") from error
    truth.columns = pd.Index(header)
    if is_verification_header(header):
        truth = _with_names(truth.rename(columns=_OUR_NAMES))
    if "label" not in truth.columns or "trial_id" not in truth.columns:
        raise ListError(f"{path}: the header lacks `trial_id` or `label`; it has {', '.join(header)}")
    return _checked(truth, path, header_lines=1)


def is_verification_list(path: Path) -> bool:
    """Whether a file begins with the header of a published verification list."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return is_verification_header([name.strip() for name in stream.readline(200).split(",")])


def is_verification_header(names: Sequence[str]) -> bool:
    """Whether these are the columns of a published verification list."""
    return tuple(names) == VERIFICATION_HEADER


def _checked(truth: pd.DataFrame, path: Path, header_lines: int) -> pd.DataFrame:
    label = pd.to_numeric(truth["label"], errors="coerce")
    rows = np.flatnonzero(~label.isin([0, 1]))
    if len(rows):
        shown = ", ".join(
            f"line {line}: trial {truth['trial_id'].iloc[row]} has the label {truth['label'].iloc[row]!r}"
            for line, row in zip(line_numbers(path, rows[:_SHOWN] + header_lines), rows[:_SHOWN], strict=True)
        )
        raise ListError(f"{path}: {len(rows)} labels are neither 1 (same person) nor 0: {shown}")
    refuse_repeated(truth["trial_id"], path, header_lines)
    return truth.assign(label=label.astype(np.int8)).set_index("trial_id")


def _with_names(truth: pd.DataFrame) -> pd.DataFrame:
    """People by the first folder of their paths, where folder and number go one with one, as in VoxCeleb's lists."""
    sides = ((VOICE_IDENTITY, "voice"), (FACE_IDENTITY, "face"))
    known = pd.concat(
        [
            pd.DataFrame({"number": truth[number], "folder": truth[path].str.partition("/")[0]})
            for number, path in sides
        ]
    ).drop_duplicates()
    if known["number"].is_unique and known["folder"].is_unique:
        names = known.set_index("number")["folder"]
        return truth.assign(**{number: truth[number].map(names) for number, _ in sides})
    return truth
