"""Average precision: hand-computed numbers, parity with AaSM's and with scikit-learn, ties."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import average_precision_score

from src.core.errors import ListError
from src.metrics.average_precision import average_precision, average_precisions_of_rankings
from tests.metrics.trial_lists import scored_trials


def test_hand_computed():
    # relevant at ranks 1 and 3: (1/1 + 2/3) / 2
    assert average_precision([1, 2, 3, 4], [1, 0, 1, 0]) == pytest.approx(5 / 6)
    np.testing.assert_allclose(average_precisions_of_rankings([[1, 0, 1, 0], [0, 0, 0, 1]]), [5 / 6, 1 / 4])


def test_a_constant_score_gains_nothing():
    assert average_precision([7, 7, 7, 7], [1, 0, 0, 0]) == pytest.approx(0.25)


def test_equals_the_published_implementation(golden):
    found = average_precisions_of_rankings(golden["average_precision/relevance"])
    np.testing.assert_allclose(found, golden["average_precision/ap"], rtol=0, atol=1e-9)


def test_rankings_and_lists_agree(golden):
    for relevance in golden["average_precision/relevance"]:
        expected = average_precisions_of_rankings(relevance)[0]
        assert average_precision(np.arange(len(relevance)), relevance) == pytest.approx(expected, abs=1e-12)


@given(scored_trials())
def test_equals_scikit_learn_with_ties(trials):
    scores, labels = trials
    expected = average_precision_score(labels, -scores)
    assert average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)


def test_refuses(refused):
    refused(average_precision)
    with pytest.raises(ListError, match=r"1 of 2 \(rows 1\) queries"):
        average_precisions_of_rankings([[1, 0], [0, 0]])
    with pytest.raises(ListError, match="labels must be"):
        average_precisions_of_rankings([[1, 3]])
