"""Golden numbers, and the trials that every measure must refuse."""

import numpy as np
import pytest

from src.core.errors import ListError


@pytest.fixture
def golden(golden):
    """Numbers of the published measures, by METHOD/ARRAY."""
    return {
        f"{method}/{name}": array
        for method in ("fame_eer", "average_precision")
        for name, array in golden(method).items()
    }


BAD_TRIALS = [
    ([1.0, 2.0], [1, 1], "not one of 2 trials is a different-person trial"),
    ([1.0, 2.0], [0, 0], "not one of 2 trials is a same-person trial"),
    ([1.0, np.nan], [1, 0], r"1 of 2 \(rows 1\) are not"),
    ([1.0, np.inf], [1, 0], "must be finite"),
    ([1.0, 2.0], [1, 2], r"1 of 2 \(rows 1\) differ, such as"),
    ([1.0, 2.0], [1, -1], "labels must be"),
    ([1.0, 2.0, 3.0], [1, 0], "vectors of one length"),
    ([], [], "not one of 0 trials"),
]


@pytest.fixture(params=BAD_TRIALS, ids=[message[:24] for *_, message in BAD_TRIALS])
def refused(request):
    """Call it with a measure of scores and labels: the measure must refuse them by name."""
    scores, labels, message = request.param

    def check(measure):
        with pytest.raises(ListError, match=message):
            measure(scores, labels)

    return check
