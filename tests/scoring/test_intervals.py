import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.metrics.verification import equal_error_rate
from src.scoring.intervals import _Prepared, bootstrap_eers, interval


def frame_of(people, seed=0, spread=0.8):
    random = np.random.default_rng(seed)
    place = random.normal(size=people)
    rows = [(v, f) for v in range(people) for f in range(people)]
    return pd.DataFrame(
        {
            "score": [abs(place[v] - place[f]) + spread * random.random() for v, f in rows],
            "label": [int(v == f) for v, f in rows],
            "voice_unit": [f"p{v}" for v, _ in rows],
            "face_unit": [f"p{f}" for _, f in rows],
        }
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1)),
        min_size=4,
        max_size=30,
    ),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
)
def test_a_draw_equals_the_metric_on_repeated_trials(rows, draw):
    frame = pd.DataFrame(rows, columns=["score", "voice_unit", "face_unit", "label"])
    draws = np.array([draw], float)
    rate = _Prepared.of(frame, {unit: unit for unit in range(5)}).equal_error_rates(draws)[0]
    times = [draw[v] if v == f else draw[v] * draw[f] for _, v, f, _ in rows]
    repeated = frame.loc[np.repeat(frame.index, times)]
    if repeated["label"].nunique() < 2:
        assert np.isnan(rate)
    else:
        assert rate == pytest.approx(equal_error_rate(repeated["score"], repeated["label"]), abs=1e-12)


def test_intervals_are_reproducible_and_hold_the_rate():
    frame = frame_of(12)
    first, second = (bootstrap_eers({"cell": frame}, 400)["cell"] for _ in range(2))
    assert np.array_equal(first, second)
    found = interval(first)
    assert found.low < equal_error_rate(frame["score"], frame["label"]) < found.high


def test_cells_share_their_draws():
    frame = frame_of(8)
    rates = bootstrap_eers({"one": frame, "two": frame.sample(frac=1, random_state=1)}, 50)
    assert np.allclose(rates["one"], rates["two"], equal_nan=True)


def test_more_people_make_the_interval_narrower():
    widths = []
    for people in (8, 40):
        found = interval(bootstrap_eers({"cell": frame_of(people)}, 300)["cell"])
        widths.append(found.high - found.low)
    assert widths[1] < 0.7 * widths[0]


def test_no_interval_where_draws_rarely_hold_both_classes():
    assert interval(np.array([np.nan, np.nan, 0.2])) is None
