"""Calibration of a mean of members, fitted on what each member says of people whom it never saw.

The scores of a checkpoint are the mean of its members' scores, but nobody of the training people is new to all members:
each held out its own fold, and its validation scores are its own. So they are made alike first. Each member's scores are
moved by the midpoint of its two class means and divided by the deviation within its classes; neither depends on how many
pairs of a fold are of one person. One logistic regression is fitted on all of them together, and its slope is taken back
to the scale of the mean score, whose midpoint is the mean of the members' midpoints.

What is applied to a mean score is then the mean of the members' calibrated log likelihood ratios, weighted by their
deviations: a logarithmic opinion pool (Genest and Zidek, "Combining probability distributions", 1986). Members that err
alike make it exact. Members that err apart make the mean better than any of them, and its probabilities too careful:
nearer to the prior than they could be, never farther from it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from src.core.errors import ListError
from src.core.polarity import score_from_similarity
from src.metrics.calibration import LogisticCalibration, Reliability, fit_calibration, reliability
from src.metrics.checked_trials import checked_trials
from src.metrics.log_likelihood_ratio_cost import (
    log_likelihood_ratio_cost,
    minimum_log_likelihood_ratio_cost,
)

RELIABILITY_PRIOR = 0.5


@dataclass(frozen=True)
class MemberScores:
    """Validation scores of all members on one scale.

    standardised: float64 (trials,), lower = same person. midpoint, deviation: of the mean of the members' scores:
    `(mean score - midpoint) / deviation` is on the scale of `standardised`.
    """

    standardised: np.ndarray
    midpoint: float
    deviation: float

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike, members: ArrayLike) -> "MemberScores":
        """Standardise each member's scores; arguments and errors as of `fit_member_calibration`."""
        trials, member = checked_trials(scores, labels), np.asarray(members)
        if member.shape != trials.same.shape:
            raise ListError(f"{len(trials)} scores and {len(member)} members must be of one length")
        standardised = np.empty(len(trials))
        scales = []
        for name in np.unique(member):
            own = member == name
            score, same = trials.scores[own].astype(np.float64), trials.same[own]
            if same.all() or not same.any():
                raise ListError(f"member {name}: its validation pairs are all of one kind")
            means = score[same].mean(), score[~same].mean()
            deviation = float(np.sqrt((score[same].var() + score[~same].var()) / 2))
            if deviation == 0:
                raise ListError(f"member {name}: gives all pairs of a kind the same score; train it anew")
            scales.append((sum(means) / 2, deviation))
            standardised[own] = (score - scales[-1][0]) / deviation
        midpoint, deviation = np.mean(scales, axis=0)
        return cls(standardised, float(midpoint), float(deviation))


@dataclass(frozen=True)
class MemberCalibration:
    """A calibration of the members' mean score.

    quality: of the members' own scores, each calibrated on the folds of the others (`out_of_fold_ratios`).
    """

    calibration: LogisticCalibration
    quality: "CalibrationQuality"
    members: int

    def details(self) -> dict[str, Any]:
        """What it was fitted on and how good it is, ready for JSON."""
        return {
            "fitted_on": {"validation_pairs": self.quality.pairs, "members": self.members},
            "quality": self.quality.mapping(),
        }


def calibrate_members(scores: ArrayLike, labels: ArrayLike, members: ArrayLike) -> MemberCalibration:
    """Fit the calibration of the members' mean score, and measure it.

    Arguments and errors as of `fit_member_calibration`.
    """
    return MemberCalibration(
        fit_member_calibration(scores, labels, members),
        calibration_quality(out_of_fold_ratios(scores, labels, members), labels),
        len(np.unique(np.asarray(members))),
    )


def fit_member_calibration(scores: ArrayLike, labels: ArrayLike, members: ArrayLike) -> LogisticCalibration:
    """The calibration of the members' mean score.

    scores: (trials,) each of the one member that never saw the two people, lower = same person. labels: (trials,) 1 or
    0. members: integers (trials,), whose score each is. Raises ListError as `fit_calibration` does, and for a member
    whose pairs are all of one kind or score the same.
    """
    pooled = MemberScores.of(scores, labels, members)
    fitted = fit_calibration(pooled.standardised, labels)
    slope = fitted.weights[0] / pooled.deviation
    return LogisticCalibration(fitted.offset + slope * pooled.midpoint, (slope,))


@dataclass(frozen=True)
class CalibrationQuality:
    """How good probabilities are as probabilities.

    pairs: number of trials. cllr: cost of the log likelihood ratios in bits. minimum_cllr: what discrimination alone
    leaves of it. reliability: at a prior of one half, both classes weighing half.
    """

    pairs: int
    cllr: float
    minimum_cllr: float
    reliability: Reliability

    def mapping(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        points = {name: values.tolist() for name, values in asdict(self.reliability).items()}
        error = self.reliability.expected_calibration_error
        return {**asdict(self), "expected_calibration_error": error, "reliability": points}


def calibration_quality(log_likelihood_ratios: ArrayLike, labels: ArrayLike) -> CalibrationQuality:
    """Measure log likelihood ratios, (trials,) natural logarithm, high = same person, against labels (trials,) 1 or 0.

    Raises ListError as `src.metrics.verification.roc_curve` does.
    """
    ratios = checked_trials(log_likelihood_ratios, labels).scores.astype(np.float64)
    probabilities = expit(ratios + logit(RELIABILITY_PRIOR))
    return CalibrationQuality(
        len(ratios),
        log_likelihood_ratio_cost(ratios, labels),
        minimum_log_likelihood_ratio_cost(score_from_similarity(ratios), labels),
        reliability(probabilities, labels, same_prior=RELIABILITY_PRIOR),
    )


def out_of_fold_ratios(scores: ArrayLike, labels: ArrayLike, members: ArrayLike) -> np.ndarray:
    """Log likelihood ratio of each validation pair, float64 (trials,), calibrated on the folds of the other members.

    A single member's pairs are calibrated on themselves. Arguments and errors as of `fit_member_calibration`.
    """
    standardised = MemberScores.of(scores, labels, members).standardised
    label, member = np.asarray(labels), np.asarray(members)
    ratios = np.empty(len(standardised))
    for name in np.unique(member):
        own = member == name
        others = own if own.all() else ~own
        ratios[own] = fit_calibration(standardised[others], label[others]).log_likelihood_ratios(
            standardised[own]
        )
    return ratios
