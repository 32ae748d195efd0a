"""Measure scores against their truth: one list, or the four cells of a submission."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from src.artifacts.trials import read_truth
from src.core.errors import ListError
from src.core.polarity import score_from_similarity
from src.metrics.verification import area_under_curve, equal_error_rate, roc_curve
from src.scoring.cells import Cell

SAME_SEX, BAYES_RATIO = "same_sex", "bayes_log_likelihood_ratio"
_SHOWN_IDS = 5


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured on one list; error rates and areas from 0 to 1.

    trials, genuine: number of trials, and of those whose voice and face are one person.
    eer: equal error rate by the challenge's definition. auc: area under the ROC curve.
    same_sex_trials, same_sex_eer: the same among the trials whose voice and face are of one sex; None where
        the truth does not say, or they are all of one class.
    sex_alone_eer: of the best guess that knows nothing but whether the two sexes agree.
    bayes_eer, same_sex_bayes_eer: of the exact likelihood ratio of the model that generated the people,
        below which no system can be expected to come; None where the truth does not hold it.
    """

    trials: int
    genuine: int
    eer: float
    auc: float
    same_sex_trials: int | None = None
    same_sex_eer: float | None = None
    sex_alone_eer: float | None = None
    bayes_eer: float | None = None
    same_sex_bayes_eer: float | None = None


RATES = ("eer", "auc", "same_sex_eer", "sex_alone_eer", "bayes_eer", "same_sex_bayes_eer")


def read_truth_of(path: Path) -> pd.DataFrame:
    """Read a truth file and check the columns that measuring needs.

    Raises ListError, besides what `read_truth` raises, for a `same_sex` that is neither 0 nor 1, a Bayes
    ratio that is not a finite number, and a list with one class only.
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
    return truth


def join_truth(scores: Mapping[str, float], truth: pd.DataFrame, source: str) -> pd.DataFrame:
    """The truth with a further column `score`. Raises ListError naming ids that only one of them has."""
    unjudged = [name for name in truth.index if name not in scores]
    unknown = [name for name in scores if name not in truth.index]
    if unjudged or unknown:
        parts = [
            f"{len(names)} trials {what}: {', '.join(names[:_SHOWN_IDS])}{' …' if len(names) > _SHOWN_IDS else ''}"
            for names, what in (
                (unjudged, "have a truth but no score"),
                (unknown, "have a score but no truth"),
            )
            if names
        ]
        raise ListError(f"{source}: scores and truth do not cover each other; " + "; ".join(parts))
    return truth.assign(score=[scores[name] for name in truth.index])


def measure(trials: pd.DataFrame) -> Measures:
    """Measure one list; trials: a frame from `join_truth`."""
    score, label = trials["score"].to_numpy(), trials["label"].to_numpy()
    ratio = _column(trials, BAYES_RATIO)
    bound = None if ratio is None else score_from_similarity(ratio)
    same_sex = _column(trials, SAME_SEX)
    within = None if same_sex is None else same_sex == 1
    return Measures(
        trials=len(trials),
        genuine=int(label.sum()),
        eer=equal_error_rate(score, label),
        auc=area_under_curve(score, label),
        same_sex_trials=None if within is None else int(within.sum()),
        same_sex_eer=None if within is None else _eer_or_none(score[within], label[within]),
        sex_alone_eer=None if same_sex is None else equal_error_rate(score_from_similarity(same_sex), label),
        bayes_eer=None if bound is None else equal_error_rate(bound, label),
        same_sex_bayes_eer=(
            None if within is None or bound is None else _eer_or_none(bound[within], label[within])
        ),
    )


def equal_error_threshold(trials: pd.DataFrame) -> float:
    """The highest score that counts as the same person where both error rates are equal."""
    curve = roc_curve(trials["score"].to_numpy(), trials["label"].to_numpy())
    return float(curve.thresholds[np.argmax(curve.false_accept_rates >= curve.false_reject_rates)])


def _column(trials: pd.DataFrame, name: str) -> np.ndarray | None:
    return trials[name].to_numpy(dtype=float) if name in trials.columns else None


def _eer_or_none(score: np.ndarray, label: np.ndarray) -> float | None:
    return equal_error_rate(score, label) if 0 < label.sum() < len(label) else None


def join_submission(
    scores: Mapping[Cell, Mapping[str, float]], truth_folder: Path
) -> dict[Cell, pd.DataFrame]:
    """Each cell's trials with score and truth, from `<Language>_test.csv` files in `truth_folder`."""
    truths = {
        language: read_truth_of(truth_folder / f"{language}_test.csv")
        for language in dict.fromkeys(cell.test_language for cell in scores)
    }
    return {
        cell: join_truth(values, truths[cell.test_language], cell.file_name())
        for cell, values in scores.items()
    }


def overall(measures: Sequence[Measures]) -> dict[str, float | None]:
    """The plain mean of each rate over the cells, as the challenge takes it; None where a cell lacks it."""
    means: dict[str, float | None] = {}
    for rate in RATES:
        values = [getattr(one, rate) for one in measures]
        means[rate] = None if None in values else float(np.mean(values))
    return means


def evaluation_mapping(cells: Mapping[Cell, Measures]) -> dict[str, Any]:
    """The measures of a submission, ready for JSON."""
    return {
        "overall": overall(list(cells.values())),
        "cells": [
            {**asdict(cell), "condition": cell.condition, **asdict(measures)}
            for cell, measures in cells.items()
        ],
    }


_COLUMNS = (
    ("EER", "eer"),
    ("limit", "bayes_eer"),
    ("same-sex EER", "same_sex_eer"),
    ("limit", "same_sex_bayes_eer"),
    ("AUC", "auc"),
)


def evaluation_table(rows: Mapping[str, tuple[int | None, Mapping[str, float | None]]]) -> str:
    """A table for the terminal, in per cent; columns that no row has are left out.

    rows: name → number of trials (None to leave it out) and its rates.
    """
    columns = [
        (title, rate)
        for title, rate in _COLUMNS
        if any(rates.get(rate) is not None for _, rates in rows.values())
    ]
    lines = [["", "trials", *(title for title, _ in columns)]]
    for name, (trials, rates) in rows.items():
        lines.append(
            [name, "" if trials is None else str(trials), *(percent(rates[rate]) for _, rate in columns)]
        )
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    )


def percent(rate: float | None) -> str:
    """A rate from 0 to 1 in per cent, for people.

    >>> percent(0.28125)
    '28.12 %'
    """
    return "–" if rate is None else f"{100 * rate:.2f} %"
