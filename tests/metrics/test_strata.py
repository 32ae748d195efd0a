"""Strata: hand-computed numbers, missing values, strata that cannot be measured."""

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.strata import Stratum, agreeing_values, measure_strata
from src.metrics.verification import area_under_curve


def test_hand_computed():
    scores, labels = [1, 2, 3, 4, 5, 6, 7], [1, 0, 1, 0, 1, 0, 1]
    column = ["f", "f", "f", "f", "m", "m", None]
    assert measure_strata(scores, labels, column, area_under_curve) == [
        Stratum("f", 4, 2, "done", "", 0.75),
        Stratum("m", 2, 1, "done", "", 1.0),
    ]


def test_a_stratum_of_one_class_is_a_row_with_a_reason():
    same_only, different_only = measure_strata([1, 2, 3], [1, 1, 0], ["a", "a", "b"], area_under_curve)
    assert (same_only.status, same_only.reason, same_only.measure) == (
        "failed",
        "no different-person trial",
        None,
    )
    assert (different_only.status, different_only.reason) == ("failed", "no same-person trial")


def test_strata_where_voice_and_face_agree():
    found = agreeing_values(["f", "f", "m", np.nan, None], ["f", "m", "m", np.nan, "f"])
    assert found.tolist() == ["f", None, "m", None, None]


def test_refuses():
    with pytest.raises(ListError, match="vectors of one length"):
        measure_strata([1, 2], [1, 0], ["a"], area_under_curve)
    with pytest.raises(ListError, match="finite"):
        measure_strata([1, np.nan], [1, 0], ["a", "a"], area_under_curve)
    with pytest.raises(ListError, match="labels must be"):
        measure_strata([1, 2], [1, 5], ["a", "a"], area_under_curve)
    with pytest.raises(ListError, match="one of each is needed"):
        agreeing_values(["f"], ["f", "m"])
