import numpy as np
import pandas as pd
import pytest

from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.metrics.verification import equal_error_rate
from src.scoring.evaluation import ACCURACY, CURVE_MEASURES, measure
from src.scoring.evaluation_intervals import list_intervals
from src.scoring.trial_people import UNITS


def frame_of(people, seed=0, spread=0.8):
    random = np.random.default_rng(seed)
    place = random.normal(size=people)
    rows = [(v, f) for v in range(people) for f in range(people)]
    return pd.DataFrame(
        {
            "score": [abs(place[v] - place[f]) + spread * random.random() for v, f in rows],
            "label": [int(v == f) for v, f in rows],
            VOICE_IDENTITY: [f"p{v}" for v, _ in rows],
            FACE_IDENTITY: [f"p{f}" for _, f in rows],
        }
    )


def test_intervals_are_reproducible_and_hold_what_is_measured():
    frame = frame_of(12)
    first, second = (list_intervals({"list": frame}, UNITS, 400) for _ in range(2))
    assert first == second
    assert (first.units, first.replicates) == (12, 400)
    measures = measure(frame)
    assert set(first.lists["list"]) == {*CURVE_MEASURES, ACCURACY}
    for name, found in first.lists["list"].items():
        assert found.low <= getattr(measures, name) <= found.high
    assert first.lists["list"]["eer"].low < equal_error_rate(frame["score"], frame["label"])


def test_lists_share_their_draws_and_the_mean_accounts_for_it():
    frame = frame_of(8)
    found = list_intervals({"one": frame, "two": frame.sample(frac=1, random_state=1)}, UNITS, 50)
    assert found.lists["one"]["eer"].low == pytest.approx(found.lists["two"]["eer"].low)
    assert found.mean["eer"].high == pytest.approx(found.lists["one"]["eer"].high)


def test_more_people_make_the_interval_narrower():
    few, many = (list_intervals({"l": frame_of(people)}, UNITS, 300).lists["l"]["eer"] for people in (8, 40))
    assert many.high - many.low < 0.7 * (few.high - few.low)


def test_short_lists_have_no_ten_folds():
    found = list_intervals({"l": frame_of(3)}, UNITS, 20)
    assert ACCURACY not in found.lists["l"]
    assert ACCURACY not in found.mean
