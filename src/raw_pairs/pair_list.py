"""Lists of pairs of media files: a CSV in, the same rows with what was made of them out."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.core.errors import ListError
from src.core.files import write_text
from src.raw_pairs.pair_scorer import PairScore

FILE_COLUMNS = ("voice", "face")
RESULT_COLUMNS = ("status", "reason", "score", "log_likelihood_ratio", "probability")
_SHOWN_LINES = 5


@dataclass(frozen=True)
class PairList:
    """Pairs as somebody listed them.

    rows: all columns of the list, as text. pairs: voice and face of each row, relative paths from the list's folder.
    """

    rows: pd.DataFrame
    pairs: list[tuple[Path, Path]]


def read_pair_list(path: Path) -> PairList:
    """Read a CSV with the columns `voice` and `face`, perhaps `id`, and any others.

    Relative paths start at the list's folder. Raises ListError, which names lines, for what is no such CSV, an empty
    path, an id that stands more than once, and columns that the result would overwrite.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such list of pairs")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of rows longer than the header
            rows = pd.read_csv(
                path,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                index_col=False,
                skip_blank_lines=False,
            ).fillna("")
    except (
        UnicodeDecodeError,
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        pd.errors.ParserWarning,
    ) as error:
        raise ListError(f"{path}: not readable as a CSV in UTF-8: {error}") from error
    rows = rows[(rows != "").any(axis=1)]  # blank lines are kept until here, so that rows tell their lines
    lacking = [name for name in FILE_COLUMNS if name not in rows.columns]
    if lacking:
        raise ListError(
            f"{path}: the header lacks {' and '.join(lacking)}; it has {', '.join(rows.columns)}. "
            "A list of pairs begins with a line such as `id,voice,face`"
        )
    taken = [name for name in RESULT_COLUMNS if name in rows.columns]
    if taken:
        raise ListError(f"{path}: has columns that are written anew: {', '.join(taken)}; rename them")
    if rows.empty:
        raise ListError(f"{path}: holds no pair")
    _refuse(
        path,
        rows[list(FILE_COLUMNS)].apply(lambda column: column.str.strip() == "").any(axis=1),
        "without a path",
    )
    if "id" in rows.columns:
        _refuse(path, rows["id"].duplicated(keep=False), "whose id stands more than once")
    pairs = [
        (path.parent / voice.strip(), path.parent / face.strip())
        for voice, face in zip(rows["voice"], rows["face"], strict=True)
    ]
    return PairList(rows, pairs)


def write_scored_pairs(path: Path, listed: PairList, scored: Sequence[PairScore]) -> None:
    """Write the list's rows with RESULT_COLUMNS behind them, atomically."""
    table = listed.rows.copy()
    for name in RESULT_COLUMNS:
        table[name] = [getattr(pair, name) for pair in scored]
    text = io.StringIO()
    table.to_csv(text, index=False, float_format="%.8g", lineterminator="\n")
    write_text(path, text.getvalue())


def _refuse(path: Path, wrong: pd.Series, what: str) -> None:
    if wrong.any():
        lines = [str(row + 2) for row in wrong[wrong].index]  # the header is line 1
        more = " …" if len(lines) > _SHOWN_LINES else ""
        raise ListError(
            f"{path}: {len(lines)} pairs {what}, in lines {', '.join(lines[:_SHOWN_LINES])}{more}"
        )
