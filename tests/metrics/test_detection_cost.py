"""minDCF: hand-computed numbers, bounds, refusals."""

import numpy as np
import pytest
from hypothesis import given

from src.metrics.detection_cost import DetectionCost, minimum_detection_cost
from tests.metrics.trial_lists import scored_trials


def test_hand_computed():
    # points (false accepts, misses): (0, 1), (0, 1/2), (1/2, 1/2), (1/2, 0), (1, 0)
    scores, labels = [1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0]
    # prior 1/2: least (miss + false accept) / 2 is 1/4, "reject all" costs 1/2
    assert minimum_detection_cost(scores, labels, DetectionCost(same_prior=0.5)) == pytest.approx(0.5)
    # prior 0.05: (0, 1/2) costs 0.025, "reject all" 0.05; letting half of the others in would cost 0.475
    assert minimum_detection_cost(scores, labels) == pytest.approx(0.5)
    # prior 0.9: (1/2, 0) costs 0.05, "accept all" 0.1
    assert minimum_detection_cost(scores, labels, DetectionCost(same_prior=0.9)) == pytest.approx(0.5)
    # a miss that costs 9 times as much weighs as the prior does: 0.5 · 9 to 0.5 · 1 is 0.9 to 0.1
    costly = DetectionCost(same_prior=0.5, miss=9.0)
    assert minimum_detection_cost([1, 2, 3, 4], [0, 1, 0, 1], costly) == pytest.approx(1.0)


def test_perfect_and_tied():
    assert minimum_detection_cost([1, 2], [1, 0]) == 0.0
    assert minimum_detection_cost([1, 1], [1, 0]) == 1.0


@given(scored_trials())
def test_lies_between_0_and_1_and_only_the_order_counts(trials):
    scores, labels = trials
    cost = minimum_detection_cost(scores, labels)
    assert 0 <= cost <= 1
    assert minimum_detection_cost(np.exp(scores), labels) == cost


@pytest.mark.parametrize(
    "wrong", [{"same_prior": 0.0}, {"same_prior": 1.0}, {"miss": 0.0}, {"false_accept": -1.0}]
)
def test_refuses_costs_without_sense(wrong):
    with pytest.raises(ValueError, match="prior must lie"):
        DetectionCost(**wrong)


def test_refuses_bad_trials(refused):
    refused(minimum_detection_cost)
