"""The truth about trials: read, checked, and joined with scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from src.artifacts.scores import ScoreColumns
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY, read_truth
from src.core.errors import ListError
from src.scoring.cells import Cell
from src.scoring.challenges import SAME_SEX_TRIALS

SAME_SEX, BAYES_RATIO = "same_sex", "bayes_log_likelihood_ratio"
_SHOWN_IDS = 5


def read_truth_of(path: Path) -> pd.DataFrame:
    """Read a truth file and check the columns that measuring needs.

    Raises ListError, besides what `read_truth` raises, for a `same_sex` that is neither 0 nor 1, a Bayes
    ratio that is not a finite number, an identity that is missing or contradicts the label, and a list with one
    class only.
    """
    truth = read_truth(path)
    for label, name in ((1, "same-person"), (0, "different-person")):
        if not (truth["label"] == label).any():
            raise ListError(f"{path}: holds no {name} trial (label {label}); error rates need both kinds")
    for column, allowed in ((SAME_SEX, "0 or 1"), (BAYES_RATIO, "a finite number")):
        if column not in truth.columns:
            continue
        values = pd.to_numeric(truth[column], errors="coerce").astype(float)
        number = values.to_numpy()
        wrong = ~np.isin(number, [0, 1]) if column == SAME_SEX else ~np.isfinite(number)
        if wrong.any():
            name = truth.index[wrong][0]
            raise ListError(f"{path}: trial {name}: {column} is {truth.loc[name, column]}, not {allowed}")
        truth[column] = values
    if says_who(truth):
        _check_identities(truth, path)
    return truth


def says_who(trials: pd.DataFrame) -> bool:
    """Whether a truth says who is in each voice and face."""
    return {VOICE_IDENTITY, FACE_IDENTITY} <= set(trials.columns)


def join_truth(scores: Mapping[str, float] | ScoreColumns, truth: pd.DataFrame, source: str) -> pd.DataFrame:
    """The truth with a further column `score`. Raises ListError naming ids that only one of them has."""
    columns = scores if isinstance(scores, ScoreColumns) else ScoreColumns.of(scores)
    wanted = pa.array(truth.index, pa.string())
    if columns.trial_ids.equals(wanted):
        return truth.assign(score=columns.scores)
    places = pc.index_in(wanted, value_set=columns.trial_ids).fill_null(-1).to_numpy(zero_copy_only=False)
    unjudged = wanted.filter(pa.array(places < 0))
    unknown = columns.trial_ids.filter(pc.invert(pc.is_in(columns.trial_ids, value_set=wanted)))
    if len(unjudged) or len(unknown):
        parts = [
            f"{len(names)} trials {what}: {', '.join(names[:_SHOWN_IDS].to_pylist())}"
            f"{' …' if len(names) > _SHOWN_IDS else ''}"
            for names, what in (
                (unjudged, "have a truth but no score"),
                (unknown, "have a score but no truth"),
            )
            if len(names)
        ]
        raise ListError(f"{source}: scores and truth do not cover each other; " + "; ".join(parts))
    return truth.assign(score=columns.scores[places])


def join_submission(
    scores: Mapping[Cell, Mapping[str, float]], truth_folder: Path
) -> dict[Cell, pd.DataFrame]:
    """Each cell's trials with score and truth, from `<Language>_test.csv` files in `truth_folder`.

    The truth of a track lies in a folder of its name; where there is none, the track of same-sex trials is those with
    `same_sex` 1.
    """
    truths = {
        (cell.test_language, cell.track): _truth_of(truth_folder, cell.test_language, cell.track)
        for cell in scores
    }
    return {
        cell: join_truth(values, truths[cell.test_language, cell.track], cell.file_name())
        for cell, values in scores.items()
    }


def _truth_of(folder: Path, language: str, track: str) -> pd.DataFrame:
    own = folder / track / f"{language}_test.csv"
    truth = read_truth_of(own if own.is_file() else folder / own.name)
    if track == SAME_SEX_TRIALS and not own.is_file() and SAME_SEX in truth.columns:
        return truth[truth[SAME_SEX] == 1]
    return truth


def _check_identities(truth: pd.DataFrame, path: Path) -> None:
    for column in (VOICE_IDENTITY, FACE_IDENTITY):
        missing = truth[column].isna()
        if missing.any():
            raise ListError(f"{path}: the trials {_shown(truth.index[missing])} have no {column}")
    contradictory = (truth[VOICE_IDENTITY] == truth[FACE_IDENTITY]) != (truth["label"] == 1)
    if contradictory.any():
        raise ListError(
            f"{path}: label and identities contradict each other in {int(contradictory.sum())} trials: "
            f"{_shown(truth.index[contradictory])}"
        )


def _shown(names: Sequence[str] | pd.Index) -> str:
    return ", ".join(map(str, names[:_SHOWN_IDS])) + (" …" if len(names) > _SHOWN_IDS else "")
