"""Sorting of scores: equal to NumPy's, at every size and for every finite number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.metrics import score_sorting
from src.metrics.checked_trials import checked_trials
from src.metrics.score_sorting import sort_scores, sorted_by_class


@pytest.fixture(autouse=True)
def radix_at_every_size(monkeypatch):
    monkeypatch.setattr(score_sorting, "_RADIX_SIZE", 0)


@given(
    arrays.arrays(
        np.float32, st.integers(0, 300), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
    )
)
def test_single_precision_equals_numpy(scores):
    np.testing.assert_array_equal(sort_scores(scores.copy()), np.sort(scores))


def test_extremes_and_both_zeros():
    largest, smallest = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    scores = np.array([0.0, largest, -smallest, -0.0, 1.0, smallest, -largest, -1.0], dtype=np.float32)
    expected = [-largest, -1.0, -smallest, 0.0, 0.0, smallest, 1.0, largest]
    np.testing.assert_array_equal(sort_scores(scores), np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_classes_are_sorted_apart(dtype):
    trials = checked_trials(np.array([3, -1, 2, -5, 0], dtype=dtype), [1, 0, 0, 1, 1])
    same, different = sorted_by_class(trials)
    np.testing.assert_array_equal(same, [-5, 0, 3])
    np.testing.assert_array_equal(different, [-1, 2])
    assert same.dtype == different.dtype == dtype
