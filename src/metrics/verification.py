"""Verification measures: ROC points, equal error rate, area under the curve.

Scores follow the challenges (src/core/polarity.py): **the lower, the more likely the same person**. A trial is
accepted as "same" when its score is at most the threshold. Both classes are sorted apart and merged once, O(n);
what comes out depends on the order of the scores alone, so that any strictly increasing change of scale leaves it
as it is.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from src.metrics.checked_trials import checked_trials
from src.metrics.score_sorting import sorted_by_class


@dataclass(frozen=True)
class RocCurve:
    """The operating points of a set of scored trials, from "accept none" to "accept all".

    false_accept_rates: (points,) share of different-person trials that are accepted, ascending from 0 to 1.
    true_accept_rates: (points,) share of same-person trials that are accepted, ascending from 0 to 1.
    thresholds: (points,) highest accepted score of each point; the first is -inf.
    same_share: share of same-person trials among all, 0 to 1.
    """

    false_accept_rates: np.ndarray
    true_accept_rates: np.ndarray
    thresholds: np.ndarray
    same_share: float

    @property
    def false_reject_rates(self) -> np.ndarray:
        """(points,) share of same-person trials that are rejected: the other axis of a DET curve."""
        return 1.0 - self.true_accept_rates


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> RocCurve:
    """The ROC of scored trials: one point for each distinct score, and the origin.

    scores: (trials,) lower = same person. labels: (trials,) 1 = same person, 0 = different people.
    Raises ListError when the lengths differ, a score is not finite, a label is neither 0 nor 1, or one class is
    absent.
    """
    same, different = sorted_by_class(checked_trials(scores, labels))
    thresholds, accepted_same, accepted_different = _operating_points(same, different)
    return RocCurve(
        false_accept_rates=accepted_different / len(different),
        true_accept_rates=accepted_same / len(same),
        thresholds=thresholds,
        same_share=len(same) / (len(same) + len(different)),
    )


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> float:
    """The equal error rate as the challenge computes it: the root of 1 − x = ROC(x), 0 to 1.

    The ROC is taken as linear between its points, so the root has a closed form: the first segment whose end
    has false accept rate + true accept rate ≥ 1 is cut where that sum is 1.

    scores, labels and errors: see `roc_curve`.
    """
    return equal_error_rate_and_area(scores, labels)[0]


def area_under_curve(scores: ArrayLike, labels: ArrayLike) -> float:
    """The area under the ROC: the chance that a same-person trial scores below a different-person one.

    A tie counts one half. scores, labels and errors: see `roc_curve`.
    """
    return equal_error_rate_and_area(scores, labels)[1]


def equal_error_rate_and_area(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Both measures from one sort, without the curve: what lists of many millions of trials need.

    scores, labels and errors: see `roc_curve`.
    """
    same, different = sorted_by_class(checked_trials(scores, labels))
    doubled_area, crossing = _area_and_crossing(same, different)
    rates = crossing / np.array([len(different), len(same)])
    return _cut(rates[0], rates[1]), float(doubled_area) / 2.0 / len(same) / len(different)


def equal_error_rate_of(curve: RocCurve) -> float:
    """The equal error rate of an ROC that is there already, 0 to 1."""
    end = int(np.argmax(curve.false_accept_rates + curve.true_accept_rates >= 1.0))
    points = np.stack([curve.false_accept_rates, curve.true_accept_rates], axis=1)[end - 1 : end + 1]
    return _cut(points[0], points[1])


def area_under_curve_of(curve: RocCurve) -> float:
    """The area under an ROC that is there already, 0 to 1."""
    return float(np.trapezoid(curve.true_accept_rates, curve.false_accept_rates))


def _cut(start: np.ndarray, end: np.ndarray) -> float:
    """Where a segment of the ROC meets 1 − x; start, end: (false, true) accept rates, sums below and not below 1."""
    share = (1.0 - start.sum()) / (end.sum() - start.sum())
    return float(start[0] + share * (end[0] - start[0]))


@njit(cache=True)
def _area_and_crossing(same: np.ndarray, different: np.ndarray) -> tuple[int, np.ndarray]:
    """Merge the ascending scores of both classes.

    Returns twice the number of (same, different) pairs in order, a tie counting one, and the ends of the first
    segment of the ROC that reaches 1 − x, as accepted (different, same) counts, int64 (2, 2). Between two
    neighbours of one class the ROC is straight, so only ties of both classes are taken together.
    """
    same_total, different_total = len(same), len(different)
    crossing = np.zeros((2, 2), np.int64)
    crossed = False
    doubled_area, i, j = 0, 0, 0
    while j < different_total:
        start_i, start_j = i, j
        if i < same_total and same[i] < different[j]:
            i += 1
        elif i == same_total or different[j] < same[i]:
            doubled_area += 2 * i
            j += 1
        else:
            tied = same[i]
            while i < same_total and same[i] == tied:
                i += 1
            while j < different_total and different[j] == tied:
                j += 1
            doubled_area += (j - start_j) * (start_i + i)
        if not crossed and i * different_total + j * same_total >= same_total * different_total:
            crossing[0, 0], crossing[0, 1], crossing[1, 0], crossing[1, 1] = start_j, start_i, j, i
            crossed = True
    return doubled_area, crossing


@njit(cache=True)
def _operating_points(same: np.ndarray, different: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct scores after -inf, and how many trials of either class score at most as much: each (points,)."""
    most = len(same) + len(different) + 1
    thresholds = np.empty(most, same.dtype)
    accepted_same, accepted_different = np.zeros(most, np.int64), np.zeros(most, np.int64)
    thresholds[0] = -np.inf
    points, i, j = 1, 0, 0
    while i < len(same) or j < len(different):
        score = same[i] if j == len(different) or (i < len(same) and same[i] < different[j]) else different[j]
        while i < len(same) and same[i] == score:
            i += 1
        while j < len(different) and different[j] == score:
            j += 1
        thresholds[points], accepted_same[points], accepted_different[points] = score, i, j
        points += 1
    return thresholds[:points], accepted_same[:points], accepted_different[:points]
