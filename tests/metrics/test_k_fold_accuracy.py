"""The 10-fold protocol: hand-computed numbers, the sweep trial by trial, properties, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.threshold_sweep import sweep_accuracies
from src.core.errors import ListError
from src.metrics.k_fold_accuracy import k_fold_accuracy
from tests.metrics.trial_lists import scored_trials


def test_hand_computed():
    # part 1 (0.1 same, 0.9 different), part 2 (0.6 same, 0.5 different). On part 2 "reject all" (threshold 0.1, the
    # strictest) is as right as any, 1/2; with it part 1 is right once. On part 1 the strictest perfect threshold is
    # 0.5, with which part 2 is right once: 0.6 is rejected wrongly, 0.5 is not below 0.5
    outcome = k_fold_accuracy([0.1, 0.9, 0.6, 0.5], [1, 0, 1, 0], folds=2)
    np.testing.assert_array_equal(outcome.thresholds, [0.1, 0.5])
    np.testing.assert_array_equal(outcome.fold_accuracies, [0.5, 0.5])
    np.testing.assert_array_equal(outcome.correct, [False, True, False, True])
    assert outcome.mean == 0.5


def test_perfect_scores_are_always_right():
    labels = np.tile([1, 0], 20)
    assert k_fold_accuracy(1.0 - labels, labels).mean == 1.0


@pytest.mark.parametrize(
    "grid", [np.arange(-1.0, 1.0, 0.005), np.arange(0.0, 4.0, 0.01)], ids=["cosine", "distance"]
)
def test_equals_the_sweep_over_the_published_grids(grid):
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 2, 203)
    scores = np.round(generator.normal(0.6 - 0.3 * labels, 0.4), 2)  # ties, and scores that lie on the grid
    outcome = k_fold_accuracy(scores, labels, grid)
    np.testing.assert_array_equal(
        outcome.fold_accuracies, sweep_accuracies(scores.tolist(), labels.tolist(), grid.tolist(), 10)
    )
    parts = np.split(outcome.correct, np.arange(1, 10) * 203 // 10)
    np.testing.assert_array_equal(outcome.fold_accuracies, [part.mean() for part in parts])


@given(scored_trials(), st.integers(2, 5))
def test_without_a_grid_every_score_is_tried(trials, folds):
    scores, labels = trials
    folds = min(folds, len(scores))
    every = [*np.unique(scores).tolist(), np.inf]
    outcome = k_fold_accuracy(scores, labels, folds=folds)
    np.testing.assert_array_equal(
        outcome.fold_accuracies, sweep_accuracies(scores.tolist(), labels.tolist(), every, folds)
    )
    moved = k_fold_accuracy(np.exp(scores), labels, folds=folds)
    np.testing.assert_array_equal(moved.correct, outcome.correct)


def test_refuses(refused):
    refused(k_fold_accuracy)
    with pytest.raises(ListError, match="cannot be cut into 10"):
        k_fold_accuracy([1, 2, 3], [1, 0, 1])
    with pytest.raises(ListError, match="ascending"):
        k_fold_accuracy(np.arange(10), np.tile([0, 1], 5), [1.0, 0.0])
