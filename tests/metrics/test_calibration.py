"""Logistic calibration and reliability: what is known exactly, what is known of Gaussians, refusals."""

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.calibration import LogisticCalibration, fit_calibration, reliability


def gaussian_trials(same_total, different_total, distance=2.0):
    """Unit Gaussians around 0 and `distance`: the log likelihood ratio is distance · (distance / 2 − score)."""
    generator = np.random.default_rng(8)
    scores = np.concatenate(
        [generator.normal(0, 1, same_total), generator.normal(distance, 1, different_total)]
    )
    return scores, np.repeat([1, 0], [same_total, different_total])


def test_finds_the_ratio_of_two_gaussians_whatever_the_share_of_classes():
    for same_total, different_total in ((20_000, 20_000), (4_000, 36_000)):
        fitted = fit_calibration(*gaussian_trials(same_total, different_total))
        assert fitted.weights[0] == pytest.approx(2.0, rel=0.05)
        assert fitted.offset == pytest.approx(2.0, rel=0.05)


def test_two_scores_per_class_by_hand():
    # of 4 same-person trials 3 score 0, of 4 others 3 score 1: p(same | 0) = 3/4, so the ratios are ± log 3
    scores, labels = [0, 0, 0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0]
    fitted = fit_calibration(scores, labels)
    np.testing.assert_allclose(fitted.log_likelihood_ratios([0, 1]), [np.log(3), -np.log(3)], rtol=1e-3)
    np.testing.assert_allclose(fitted.probabilities([0, 1]), [0.75, 0.25], rtol=1e-3)


def test_the_prior_moves_probabilities_by_bayes():
    calibration = LogisticCalibration(offset=0.0, weights=(1.0,))
    # odds 1/9 times a ratio of 9 are even
    np.testing.assert_allclose(calibration.probabilities([-np.log(9)], same_prior=0.1), [0.5])


def test_classes_that_do_not_overlap_stay_finite():
    fitted = fit_calibration([0.0, 0.1, 0.9, 1.0], [1, 1, 0, 0])
    probabilities = fitted.probabilities([0.0, 0.5, 1.0])
    assert probabilities[0] > 0.99
    assert probabilities[1] == pytest.approx(0.5, abs=1e-3)
    assert probabilities[2] < 0.01


def test_refuses(refused):
    refused(fit_calibration)
    with pytest.raises(ListError, match="system 1 "):
        fit_calibration([[1.0, 3.0], [2.0, 3.0]], [1, 0])
    with pytest.raises(ListError, match="a column for each system"):
        fit_calibration(np.zeros((2, 2, 2)), [1, 0])
    with pytest.raises(ListError, match="fitted on 1"):
        LogisticCalibration(0.0, (1.0,)).log_likelihood_ratios([[1.0, 2.0]])
    with pytest.raises(ValueError, match="prior"):
        LogisticCalibration(0.0, (1.0,)).probabilities([1.0], same_prior=1.0)


def test_reliability_by_hand():
    found = reliability([0.1, 0.3, 0.5, 0.9, 1.0], [0, 1, 1, 1, 1], bins=2)
    np.testing.assert_allclose(found.predicted, [0.2, 0.8])
    np.testing.assert_allclose(found.observed, [0.5, 1.0])
    np.testing.assert_array_equal(found.trials, [2, 3])
    assert found.expected_calibration_error == pytest.approx((2 * 0.3 + 3 * 0.2) / 5)


def test_a_prior_weighs_the_two_kinds_of_trials():
    # one same-person trial of four, weighed as half of all: 3 others of 1/6 each
    found = reliability([0.9, 0.2, 0.2, 0.8], [1, 0, 0, 0], bins=2, same_prior=0.5)
    np.testing.assert_allclose(found.weights, [2 / 6, 4 / 6])
    np.testing.assert_allclose(found.observed, [0.0, 0.75])
    np.testing.assert_allclose(found.predicted, [0.2, (3 * 0.9 + 0.8) / 4])
    assert found.trials.tolist() == [2, 2]
    assert found.expected_calibration_error == pytest.approx(0.2 / 3 + 0.125 * 2 / 3)
    with pytest.raises(ListError, match="not one of 2 trials"):
        reliability([0.5, 0.6], [1, 1], same_prior=0.5)


def test_empty_bins_are_left_out():
    assert reliability([0.05, 0.95], [0, 1]).trials.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        ([0.5, 1.2], [0, 1], "not 0 to 1"),
        ([0.5], [0, 1], "one length"),
        ([], [], "not empty"),
        ([np.nan], [1], "finite"),
    ],
)
def test_reliability_refuses(probabilities, labels, message):
    with pytest.raises(ListError, match=message):
        reliability(probabilities, labels)
