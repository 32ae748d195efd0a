"""Cllr and its minimum: hand-computed numbers, order, what calibration does to them."""

import numpy as np
import pytest
from hypothesis import given

from src.metrics.calibration import fit_calibration
from src.metrics.log_likelihood_ratio_cost import log_likelihood_ratio_cost, minimum_log_likelihood_ratio_cost
from tests.metrics.trial_lists import scored_trials


def test_hand_computed():
    # a ratio of 0 costs log2(1 + 1) = 1 bit
    assert log_likelihood_ratio_cost([0, 0, 0], [1, 0, 0]) == pytest.approx(1.0)
    # log 3 for the right: log2(1 + 1/3) each; log 3 for the wrong: log2(1 + 3) = 2 each
    assert log_likelihood_ratio_cost([np.log(3), -np.log(3)], [1, 0]) == pytest.approx(np.log2(4 / 3))
    assert log_likelihood_ratio_cost([np.log(3), np.log(3)], [1, 0]) == pytest.approx(
        (np.log2(4 / 3) + 2) / 2
    )
    assert log_likelihood_ratio_cost([800.0, -800.0], [1, 0]) == 0.0


def test_minimum_by_hand():
    assert minimum_log_likelihood_ratio_cost([0.1, 0.2, 0.8], [1, 1, 0]) == 0.0
    assert minimum_log_likelihood_ratio_cost([0.8, 0.1], [1, 0]) == pytest.approx(
        1.0
    )  # the wrong way round: pooled
    # same 0 0 0 1, different 1 1 1 0: 3/4 and 1/4 are the best probabilities, the entropy of 1/4 remains
    scores, labels = [0, 0, 0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0]
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert minimum_log_likelihood_ratio_cost(scores, labels) == pytest.approx(entropy)


@given(scored_trials())
def test_the_minimum_depends_on_the_order_alone_and_is_one(trials):
    scores, labels = trials
    least = minimum_log_likelihood_ratio_cost(scores, labels)
    assert -1e-12 <= least <= 1 + 1e-12
    assert minimum_log_likelihood_ratio_cost(np.exp(scores), labels) == pytest.approx(least, abs=1e-12)
    assert least <= log_likelihood_ratio_cost(-scores, labels) + 1e-12
    if np.ptp(scores) > 0:
        fitted = fit_calibration(scores, labels)
        calibrated = log_likelihood_ratio_cost(fitted.log_likelihood_ratios(scores), labels)
        # scores that are the wrong way round are turned by the fit, which no increasing calibration may do
        assert fitted.weights[0] < 0 or least <= calibrated + 1e-9


def test_refuses(refused):
    refused(log_likelihood_ratio_cost)
    refused(minimum_log_likelihood_ratio_cost)
