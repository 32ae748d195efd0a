"""Fusion: hand-computed ranks, order, what logistic fusion gains, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.errors import ListError
from src.metrics.calibration import fit_calibration
from src.metrics.fusion import logistic_fusion, rank_fusion
from src.metrics.verification import equal_error_rate


def test_ranks_by_hand():
    # ranks 1 3 2 and, with a tie, 1.5 1.5 3; of three trials (rank − 1/2) / 3
    scores = [[0.1, 5.0], [0.9, 5.0], [0.5, 7.0]]
    np.testing.assert_allclose(rank_fusion(scores), [(0.5 + 1) / 6, (2.5 + 1) / 6, (1.5 + 2.5) / 6])
    np.testing.assert_allclose(
        rank_fusion(scores, [3, 1]), [(1.5 + 1) / 12, (7.5 + 1) / 12, (4.5 + 2.5) / 12]
    )


@given(st.integers(0, 1000))
def test_each_system_may_have_its_own_scale(seed):
    scores = np.random.default_rng(seed).integers(0, 10, (12, 3)).astype(float)
    moved = np.stack([np.exp(scores[:, 0]), 5 * scores[:, 1] - 2, scores[:, 2] ** 3], axis=1)
    np.testing.assert_allclose(rank_fusion(moved), rank_fusion(scores))


def test_two_systems_together_are_better_than_either():
    generator = np.random.default_rng(6)
    labels = generator.integers(0, 2, 4000)
    systems = generator.normal(size=(4000, 2)) - 1.5 * labels[:, None]
    systems[:, 1] = 20 + 9 * systems[:, 1]
    fitted = fit_calibration(systems[:2000], labels[:2000])
    test, truth = systems[2000:], labels[2000:]
    alone = min(equal_error_rate(test[:, 0], truth), equal_error_rate(test[:, 1], truth))
    assert equal_error_rate(logistic_fusion(fitted, test), truth) < alone - 0.03
    assert equal_error_rate(rank_fusion(test), truth) < alone - 0.03
    assert fitted.weights[0] == pytest.approx(9 * fitted.weights[1], rel=0.2)  # equally good, on other scales


@pytest.mark.parametrize(
    ("scores", "weights", "message"),
    [
        ([1.0, 2.0], None, "must be a table"),
        ([[1.0, np.nan]], None, "finite"),
        ([[1.0, 2.0]], [1.0], "must be 2 numbers"),
        ([[1.0, 2.0]], [1.0, -1.0], "none below 0"),
        ([[1.0, 2.0]], [0.0, 0.0], "not all 0"),
    ],
)
def test_refuses(scores, weights, message):
    with pytest.raises(ListError, match=message):
        rank_fusion(scores, weights)
