"""Matching 1:N: hand-computed numbers, ties, chance, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.errors import ListError
from src.metrics.matching import matching_accuracy, matching_by_gallery_size

SCORES = [[0.1, 0.5, 0.9], [0.5, 0.7, 0.1], [0.3, 0.3, 0.8], [0.2, 0.2, 0.2]]


def test_hand_computed():
    outcome = matching_accuracy(SCORES)
    assert outcome.candidates == 3
    np.testing.assert_allclose(outcome.correct, [1, 0, 1 / 2, 1 / 3])
    assert outcome.mean == pytest.approx(11 / 24)
    by_size = matching_by_gallery_size(SCORES)
    assert list(by_size) == [2, 3]
    np.testing.assert_allclose(by_size[2].correct, [1, 1, 1 / 2, 1 / 2])
    assert by_size[3].mean == outcome.mean


def test_no_more_than_ten_candidates_are_reported():
    assert list(matching_by_gallery_size(np.zeros((2, 14)))) == list(range(2, 11))


@given(st.integers(2, 10), st.integers(0, 3))
def test_every_place_of_the_true_candidate_together_gives_chance(candidates, distinct):
    scores = np.random.default_rng(candidates).integers(0, distinct + 1, (7, candidates))
    turned = np.concatenate([np.roll(scores, turn, axis=1) for turn in range(candidates)])
    assert matching_accuracy(turned).mean == pytest.approx(1 / candidates)


def test_random_scores_are_right_one_time_in_n():
    scores = np.random.default_rng(1).random((40_000, 10))
    for size, outcome in matching_by_gallery_size(scores).items():
        deviation = np.sqrt((1 / size) * (1 - 1 / size) / 40_000)
        assert abs(outcome.mean - 1 / size) < 4 * deviation


@given(st.integers(0, 100))
def test_only_the_order_counts_and_more_candidates_never_help(seed):
    scores = np.random.default_rng(seed).integers(0, 20, (5, 8)) / 4
    by_size = matching_by_gallery_size(scores)
    moved = matching_by_gallery_size(np.exp(scores))
    means = [outcome.mean for outcome in by_size.values()]
    assert means == [outcome.mean for outcome in moved.values()]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("scores", [[1.0, 2.0], [[1.0], [2.0]], np.zeros((0, 2)), [[1.0, np.nan]]])
@pytest.mark.parametrize("measure", [matching_accuracy, matching_by_gallery_size])
def test_refuses(scores, measure):
    with pytest.raises(ListError, match=r"must be a table|rows 0"):
        measure(scores)
