"""The cost of log likelihood ratios, Cllr: how good they are as probabilities, over all priors and costs.

Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech & Language 20, 2006,
equation 11 (Cllr) and section 6.2 (its minimum, by pooling adjacent violators).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from src.core.polarity import score_from_similarity
from src.metrics.checked_trials import checked_trials


def log_likelihood_ratio_cost(log_likelihood_ratios: ArrayLike, labels: ArrayLike) -> float:
    """Cllr in bits: 0 is perfect, 1 says nothing, more than 1 misleads.

    log_likelihood_ratios: (trials,), natural logarithm, high = same person. labels: (trials,) 1 or 0.
    Raises ListError as `src.metrics.verification.roc_curve` does.
    """
    trials = checked_trials(log_likelihood_ratios, labels)
    ratios = trials.scores.astype(np.float64)
    surprise_same = np.logaddexp(0.0, -ratios[trials.same]).mean()
    surprise_different = np.logaddexp(0.0, ratios[~trials.same]).mean()
    return float((surprise_same + surprise_different) / 2 / np.log(2))


def minimum_log_likelihood_ratio_cost(scores: ArrayLike, labels: ArrayLike) -> float:
    """Cllr after the best increasing calibration of these very trials: what discrimination alone leaves, 0 to 1 bit.

    scores: (trials,), lower = same person. Other arguments and errors as above.
    """
    trials = checked_trials(scores, labels)
    values, place = np.unique(score_from_similarity(trials.scores), return_inverse=True)
    weight = np.where(
        trials.same, 0.5 / trials.same.sum(), 0.5 / (~trials.same).sum()
    )  # both classes count half
    of_value = np.bincount(place, weights=weight, minlength=len(values))
    same_of_value = np.bincount(place, weights=weight * trials.same, minlength=len(values))
    probability = isotonic_regression(same_of_value / of_value, weights=of_value).x
    different_of_value = of_value - same_of_value
    with np.errstate(
        divide="ignore"
    ):  # log 0 stands only where the class has no weight; it is left out below
        same_bits, different_bits = np.log2(probability), np.log2(1 - probability)
    return float(
        -(same_of_value[same_of_value > 0] @ same_bits[same_of_value > 0])
        - different_of_value[different_of_value > 0] @ different_bits[different_of_value > 0]
    )
