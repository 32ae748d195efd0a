"""Logistic calibration: from scores to log likelihood ratios and probabilities.

llr = offset − Σ weight_k · score_k, fitted on trials of people whom the system was not trained on, by logistic
regression in which both classes count half (Brümmer and du Preez, "Application-independent evaluation of speaker
detection", 2006, section 6). So the offset does not carry the list's share of same-person trials along; the prior of
the place of use is added when probabilities are asked for. With several columns it is linear fusion
(src/metrics/fusion.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from src.core.errors import ListError
from src.metrics.checked_trials import checked_labels, checked_trials, finite_scores

# Of standardised scores. Next to nothing on real lists, but it keeps the slope finite where classes do not overlap.
_INVERSE_PENALTY = 1e4


@dataclass(frozen=True)
class LogisticCalibration:
    """A fitted calibration. weights: one a system, positive where a low score speaks for the same person."""

    offset: float
    weights: tuple[float, ...]

    def log_likelihood_ratios(self, scores: ArrayLike) -> np.ndarray:
        """Natural logarithm of p(scores | same) / p(scores | different), float64 (trials,).

        scores: (trials,) or (trials, systems), lower = same person. Raises ListError for scores that are not finite
        and another number of systems than was fitted.
        """
        table = _table(scores)
        if table.shape[1] != len(self.weights):
            raise ListError(
                f"scores of {table.shape[1]} systems, but the calibration was fitted on {len(self.weights)}"
            )
        ratios: np.ndarray = self.offset - table @ np.array(self.weights)
        return ratios

    def probabilities(self, scores: ArrayLike, same_prior: float = 0.5) -> np.ndarray:
        """Probability of the same person, float64 (trials,), where a share `same_prior` of all trials is that."""
        if not 0 < same_prior < 1:
            raise ValueError(f"the prior must lie between 0 and 1, not at {same_prior}")
        probabilities: np.ndarray = expit(self.log_likelihood_ratios(scores) + logit(same_prior))
        return probabilities


def fit_calibration(scores: ArrayLike, labels: ArrayLike) -> LogisticCalibration:
    """Fit on validation trials.

    scores: (trials,) or (trials, systems), lower = same person. labels: (trials,) 1 or 0. Raises ListError as
    `src.metrics.verification.roc_curve` does, and for a system that gives every trial the same score.
    """
    table = _table(scores)
    same = checked_trials(table[:, 0], labels).same
    mean, spread = table.mean(axis=0), table.std(axis=0)
    if (spread == 0).any():
        raise ListError(
            f"system {int(np.argmin(spread))} (from 0) gives every trial the same score; leave it out"
        )
    regression = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", tol=1e-8, max_iter=1000)
    regression.fit((table - mean) / spread, same)
    slope = regression.coef_[0] / spread
    offset = float(regression.intercept_[0] - slope @ mean)
    return LogisticCalibration(offset, tuple((-slope).tolist()))


@dataclass(frozen=True)
class Reliability:
    """A reliability plot's points, for the bins that hold a trial.

    predicted: (bins,) mean probability. observed: (bins,) share of same-person trials. trials: (bins,) how many.
    weights: (bins,) what they weigh together, of 1 in all; both means are taken with these weights.
    """

    predicted: np.ndarray
    observed: np.ndarray
    trials: np.ndarray
    weights: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of prediction and observation, by the weights (Guo et al., 2017, equation 3)."""
        return float(np.abs(self.predicted - self.observed) @ self.weights)


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 10, same_prior: float | None = None
) -> Reliability:
    """What share of the trials with a predicted probability around p is of the same person?

    probabilities: (trials,), 0 to 1. labels: (trials,) 1 or 0. bins: of equal width; the edges belong to the upper bin.
    same_prior: the prior that the probabilities were asked for, where it is not the share of same-person trials in the
        list: the trials are weighed as if that share were of the same person. None takes the list as it is.
    Raises ListError for lengths that differ, no trial, probabilities outside 0 to 1, and one kind of trials alone where
    a prior is given.
    """
    probability, same = finite_scores(probabilities), checked_labels(labels)
    if probability.ndim != 1 or probability.shape != same.shape or len(same) == 0:
        raise ListError(
            f"probabilities {probability.shape} and labels {same.shape} must be vectors of one length, not empty"
        )
    if probability.min() < 0 or probability.max() > 1:
        raise ListError(
            f"probabilities reach from {probability.min():g} to {probability.max():g}, not 0 to 1"
        )
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    trials = np.bincount(place, minlength=bins)
    held = trials > 0
    trial_weight = _trial_weights(probability, same, same_prior)
    weights = np.bincount(place, weights=trial_weight, minlength=bins)[held]
    return Reliability(
        np.bincount(place, weights=trial_weight * probability, minlength=bins)[held] / weights,
        np.bincount(place, weights=trial_weight * same, minlength=bins)[held] / weights,
        trials[held],
        weights,
    )


def _trial_weights(probability: np.ndarray, same: np.ndarray, same_prior: float | None) -> np.ndarray:
    """What each trial weighs, of 1 in all."""
    if same_prior is None:
        return np.full(len(same), 1 / len(same))
    checked_trials(probability, same)
    return np.where(same, same_prior / same.sum(), (1 - same_prior) / (~same).sum())


def _table(scores: ArrayLike) -> np.ndarray:
    score = finite_scores(scores).astype(np.float64, copy=False)
    table = score[:, None] if score.ndim == 1 else score
    if table.ndim != 2 or table.shape[1] == 0:
        raise ListError(f"scores {score.shape} must be a vector, or a table with a column for each system")
    return table
