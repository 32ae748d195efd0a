"""Verification measures: ROC points, equal error rate, area under the curve.

Scores follow the challenges (src/core/polarity.py): **the lower, the more likely the same person**. A trial is
accepted as "same" when its score is at most the threshold. Everything is one sort, O(n log n), in NumPy, and
depends on the order of the scores alone, so that any strictly increasing change of scale leaves it as it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class RocCurve:
    """The operating points of a set of scored trials, from "accept none" to "accept all".

    false_accept_rates: (points,) share of different-person trials that are accepted, ascending from 0 to 1.
    true_accept_rates: (points,) share of same-person trials that are accepted, ascending from 0 to 1.
    thresholds: (points,) highest accepted score of each point; the first is -inf.
    """

    false_accept_rates: np.ndarray
    true_accept_rates: np.ndarray
    thresholds: np.ndarray

    @property
    def false_reject_rates(self) -> np.ndarray:
        """(points,) share of same-person trials that are rejected: the other axis of a DET curve."""
        return 1.0 - self.true_accept_rates


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> RocCurve:
    """The ROC of scored trials: one point for each distinct score, and the origin.

    scores: (trials,) lower = same person. labels: (trials,) 1 = same person, 0 = different people.
    Raises ValueError when a score is not finite, a label is neither 0 nor 1, or one class is absent.
    """
    score, same = _checked(scores, labels)
    order = np.argsort(score, kind="stable")
    score, same = score[order], same[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    accepted_same = np.cumsum(same)[last_of_ties]
    accepted_different = last_of_ties + 1 - accepted_same
    return RocCurve(
        false_accept_rates=np.append(0.0, accepted_different / accepted_different[-1]),
        true_accept_rates=np.append(0.0, accepted_same / accepted_same[-1]),
        thresholds=np.append(-np.inf, score[last_of_ties]),
    )


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> float:
    """The equal error rate as the challenge computes it: the root of 1 − x = ROC(x), 0 to 1.

    The ROC is taken as linear between its points, so the root has a closed form: the first segment whose end
    has false accept rate + true accept rate ≥ 1 is cut where that sum is 1.

    scores, labels and errors: see `roc_curve`.
    """
    curve = roc_curve(scores, labels)
    return equal_error_rate_of(curve)


def equal_error_rate_of(curve: RocCurve) -> float:
    """The equal error rate of an ROC that is there already, 0 to 1."""
    excess = curve.false_accept_rates + curve.true_accept_rates - 1.0  # ascending from -1 to 1
    end = int(np.argmax(excess >= 0.0))
    start = end - 1
    share = -excess[start] / (excess[end] - excess[start])
    low, high = curve.false_accept_rates[start], curve.false_accept_rates[end]
    return float(low + share * (high - low))


def area_under_curve(scores: ArrayLike, labels: ArrayLike) -> float:
    """The area under the ROC: the chance that a same-person trial scores below a different-person one.

    A tie counts one half. scores, labels and errors: see `roc_curve`.
    """
    curve = roc_curve(scores, labels)
    return float(np.trapezoid(curve.true_accept_rates, curve.false_accept_rates))


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    score = np.asarray(scores, dtype=np.float64)
    label = np.asarray(labels)
    if score.ndim != 1 or score.shape != label.shape:
        raise ValueError(f"scores {score.shape} and labels {label.shape} must be vectors of one length")
    if not np.isfinite(score).all():
        raise ValueError(f"{int((~np.isfinite(score)).sum())} of {len(score)} scores are not finite")
    same = label.astype(bool)
    if not np.array_equal(same, label):
        raise ValueError("labels must be 1 (same person) or 0 (different people)")
    if same.all() or not same.any():
        raise ValueError("both same-person and different-person trials are needed; one kind is absent")
    return score, same.astype(np.int64)
