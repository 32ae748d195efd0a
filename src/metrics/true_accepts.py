"""The true accept rate that a system reaches within a limit on false accepts (TPR at FPR)."""

import numpy as np
from numpy.typing import ArrayLike

from src.metrics.verification import RocCurve, roc_curve


def true_accept_rate_at(scores: ArrayLike, labels: ArrayLike, false_accept_rate: float) -> float:
    """The largest share of same-person trials accepted while at most `false_accept_rate` of the others are, 0 to 1.

    A threshold that exists, nothing interpolated: with fewer than 1 / false_accept_rate different-person trials no
    false accept is allowed at all. scores, labels and errors: see `src.metrics.verification.roc_curve`.
    """
    return true_accept_rate_of(roc_curve(scores, labels), false_accept_rate)


def true_accept_rate_of(curve: RocCurve, false_accept_rate: float) -> float:
    """The same for an ROC that is there already."""
    if not 0 <= false_accept_rate <= 1:
        raise ValueError(f"a false accept rate lies between 0 and 1, not at {false_accept_rate}")
    within = np.searchsorted(curve.false_accept_rates, false_accept_rate, side="right") - 1
    return float(curve.true_accept_rates[within])
