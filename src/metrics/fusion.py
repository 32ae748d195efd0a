"""Fusion of several systems' scores of the same trials: by rank, or by logistic regression on validation pairs."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from src.core.errors import ListError
from src.core.polarity import score_from_similarity
from src.metrics.calibration import LogisticCalibration
from src.metrics.checked_trials import finite_scores


def rank_fusion(scores: ArrayLike, weights: ArrayLike | None = None) -> np.ndarray:
    """Mean rank over systems, scaled to 0 … 1, float64 (trials,), lower = same person.

    Ranks need no common scale and no labels, but every trial of the list: they change with the company it is in.
    scores: (trials, systems), lower = same person; ties share their mean rank. weights: (systems,), not negative and
    not all 0; equal if None. Raises ListError for scores that are not finite and shapes that do not fit.
    """
    table = finite_scores(scores)
    if table.ndim != 2 or 0 in table.shape:
        raise ListError(
            f"scores {table.shape} must be a table: a row for each trial, a column for each system"
        )
    weight = np.ones(table.shape[1]) if weights is None else finite_scores(weights)
    if weight.shape != table.shape[1:] or weight.min() < 0 or weight.sum() == 0:
        raise ListError(
            f"weights {weight.tolist()} must be {table.shape[1]} numbers, none below 0 and not all 0"
        )
    shares = (rankdata(table, axis=0) - 0.5) / len(table)
    fused: np.ndarray = shares @ (weight / weight.sum())
    return fused


def logistic_fusion(fitted: LogisticCalibration, scores: ArrayLike) -> np.ndarray:
    """Fused scores, float64 (trials,), lower = same person: minus the log likelihood ratio of all systems together.

    fitted: `fit_calibration` of the same systems, in the same order, on validation pairs. scores: (trials, systems).
    """
    return score_from_similarity(fitted.log_likelihood_ratios(scores))
