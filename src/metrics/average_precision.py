"""Average precision: of a list of verification trials, and of rankings.

AP = mean over the relevant items of (relevant items down to it) / (items down to it). Items that are tied are all
counted as "down to it", so that the order in which they stand does not matter and a constant score gains nothing.
"""

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.metrics.checked_trials import checked_labels, rows_text
from src.metrics.verification import RocCurve, roc_curve


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Average precision of trials ranked by score, 0 to 1; by chance the share of same-person trials.

    scores, labels and errors: see `src.metrics.verification.roc_curve`.
    """
    return average_precision_of(roc_curve(scores, labels))


def average_precision_of(curve: RocCurve) -> float:
    """Average precision of an ROC that is there already."""
    accepted_same = curve.same_share * curve.true_accept_rates[1:]
    accepted = accepted_same + (1.0 - curve.same_share) * curve.false_accept_rates[1:]
    # a point that a bootstrap draw gave no weight accepts nothing new; nor does it add to the sum
    precision = np.divide(accepted_same, accepted, out=np.zeros_like(accepted), where=accepted > 0)
    return float(np.sum(np.diff(curve.true_accept_rates) * precision))


def average_precisions_of_rankings(relevance: ArrayLike) -> np.ndarray:
    """Average precision of each ranking, float64 (queries,).

    relevance: 0 or 1, (queries, ranks), best rank first, no ties. Raises ListError where a query has no relevant item.
    """
    relevant = checked_labels(np.atleast_2d(np.asarray(relevance)))
    counts = relevant.sum(axis=1)
    if (counts == 0).any():
        raise ListError(f"{rows_text(counts == 0)} queries have no relevant item; leave them out")
    precision = np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1)
    averages: np.ndarray = np.sum(precision * relevant, axis=1) / counts
    return averages
