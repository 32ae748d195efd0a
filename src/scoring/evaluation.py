"""Measure scores against their truth: one list, or the cells of a submission."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from src.core.polarity import score_from_similarity
from src.metrics.bootstrap import CurveMeasure
from src.metrics.detection_cost import minimum_detection_cost_of
from src.metrics.k_fold_accuracy import FOLDS, k_fold_accuracy
from src.metrics.true_accepts import true_accept_rate_of
from src.metrics.verification import area_under_curve_of, equal_error_rate, equal_error_rate_of, roc_curve
from src.scoring.cells import Cell
from src.scoring.truth import BAYES_RATIO, SAME_SEX


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured on one list; error rates and areas from 0 to 1.

    trials, genuine: number of trials, and of those whose voice and face are one person.
    eer: equal error rate by the challenge's definition. auc: area under the ROC curve.
    min_dcf: least normalised detection cost, prior 0.05, costs 1.
    tpr_at_fpr_1_percent, tpr_at_fpr_0_1_percent: share of same-person trials accepted while at most that share of
        the others is.
    ten_fold_accuracy: by the field's 10-fold protocol, in list order; None for fewer than ten trials.
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
    min_dcf: float
    tpr_at_fpr_1_percent: float
    tpr_at_fpr_0_1_percent: float
    ten_fold_accuracy: float | None
    same_sex_trials: int | None = None
    same_sex_eer: float | None = None
    sex_alone_eer: float | None = None
    bayes_eer: float | None = None
    same_sex_bayes_eer: float | None = None


CURVE_MEASURES: dict[str, CurveMeasure] = {
    "eer": equal_error_rate_of,
    "auc": area_under_curve_of,
    "min_dcf": minimum_detection_cost_of,
    "tpr_at_fpr_1_percent": partial(true_accept_rate_of, false_accept_rate=0.01),
    "tpr_at_fpr_0_1_percent": partial(true_accept_rate_of, false_accept_rate=0.001),
}
ACCURACY = "ten_fold_accuracy"
RATES = (*CURVE_MEASURES, ACCURACY, "same_sex_eer", "sex_alone_eer", "bayes_eer", "same_sex_bayes_eer")


def measure(trials: pd.DataFrame) -> Measures:
    """Measure one list; trials: a frame from `join_truth`."""
    score, label = trials["score"].to_numpy(), trials["label"].to_numpy()
    ratio = _column(trials, BAYES_RATIO)
    bound = None if ratio is None else score_from_similarity(ratio)
    same_sex = _column(trials, SAME_SEX)
    within = None if same_sex is None else same_sex == 1
    curve = roc_curve(score, label)
    rates = {name: of_curve(curve) for name, of_curve in CURVE_MEASURES.items()}
    del curve  # of many millions of trials it is the largest thing in memory
    return Measures(
        trials=len(trials),
        genuine=int(label.sum()),
        **rates,
        ten_fold_accuracy=k_fold_accuracy(score, label).mean if len(trials) >= FOLDS else None,
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


def overall(measures: Sequence[Measures]) -> dict[str, float | None]:
    """The plain mean of each rate over the cells, as the challenge takes it; None where a cell lacks it."""
    means: dict[str, float | None] = {}
    for rate in RATES:
        values = [getattr(one, rate) for one in measures]
        means[rate] = None if None in values else float(np.mean(values))
    return means


def overall_by_track(cells: Mapping[Cell, Measures]) -> dict[str, dict[str, float | None]]:
    """`overall` of the cells of each track."""
    return {
        track: overall([measures for cell, measures in cells.items() if cell.track == track])
        for track in dict.fromkeys(cell.track for cell in cells)
    }


def evaluation_mapping(cells: Mapping[Cell, Measures]) -> dict[str, Any]:
    """The measures of a submission, ready for JSON. `overall` is of all cells, `tracks` of each folder's."""
    return {
        "overall": overall(list(cells.values())),
        "tracks": overall_by_track(cells),
        "cells": [
            {**asdict(cell), "condition": cell.condition, **asdict(measures)}
            for cell, measures in cells.items()
        ],
    }
