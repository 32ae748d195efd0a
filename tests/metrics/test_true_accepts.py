"""TPR at FPR: hand-computed numbers, ties, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.metrics.true_accepts import true_accept_rate_at
from tests.metrics.trial_lists import scored_trials


@pytest.mark.parametrize(("limit", "expected"), [(0.0, 0.5), (0.49, 0.5), (0.5, 1.0), (1.0, 1.0)])
def test_hand_computed(limit, expected):
    # accepted in order: same, different, same, different
    assert true_accept_rate_at([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], limit) == expected


def test_a_tie_of_both_classes_cannot_be_parted():
    assert true_accept_rate_at([1, 1, 2], [1, 0, 0], 0.0) == 0.0
    assert true_accept_rate_at([1, 1, 2], [1, 0, 0], 0.5) == 1.0


@given(scored_trials(), st.floats(0, 1))
def test_is_what_the_best_allowed_threshold_accepts(trials, limit):
    scores, labels = trials
    allowed = [
        (scores[labels == 1] <= threshold).mean()
        for threshold in [-9, *scores]
        if (scores[labels == 0] <= threshold).mean() <= limit
    ]
    assert true_accept_rate_at(scores, labels, limit) == max(allowed)


def test_refuses_bad_trials_and_limits(refused):
    refused(lambda scores, labels: true_accept_rate_at(scores, labels, 0.1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        true_accept_rate_at([1, 2], [1, 0], 1.1)
