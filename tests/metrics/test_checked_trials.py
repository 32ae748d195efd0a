"""The boundary: what passes unchanged, and what is refused by name."""

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.checked_trials import checked_labels, checked_trials, finite_scores, rows_text


def test_precision_is_kept_and_everything_else_becomes_double():
    assert checked_trials(np.array([1, 2], dtype=np.float32), [0, 1]).scores.dtype == np.float32
    assert checked_trials([1, 2], [0, 1]).scores.dtype == np.float64
    assert checked_trials(np.array([1, 2], dtype=np.float16), [0, 1]).scores.dtype == np.float64


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True], np.array([0, 1], dtype=np.uint8)])
def test_labels_may_be_any_kind_of_zero_and_one(labels):
    np.testing.assert_array_equal(checked_labels(labels), [False, True])


def test_refuses(refused):
    refused(checked_trials)
    with pytest.raises(ListError, match="vectors of one length"):
        checked_trials([[1.0, 2.0]], [[0, 1]])
    with pytest.raises(ListError, match="labels must be"):
        checked_labels(["0", "1"])


def test_messages_name_the_first_rows():
    scores = np.zeros(9)
    scores[2:] = np.nan
    with pytest.raises(ListError, match=r"7 of 9 \(rows 2, 3, 4, 5, 6 …\)"):
        finite_scores(scores)
    assert rows_text(np.array([[False, True], [False, False]])) == "1 of 4 (rows 0)"
