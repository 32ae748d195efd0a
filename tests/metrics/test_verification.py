"""EER, AUC and ROC: hand-computed numbers, parity with the challenge's code, properties."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.metrics.verification import area_under_curve, equal_error_rate, equal_error_rate_of, roc_curve

GOLDEN = Path(__file__).resolve().parents[2] / "../shared/data/golden/published_methods.npz"


@st.composite
def scored_trials(draw):
    size = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(-8, 8), min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    labels[0], labels[1] = 0, 1
    return np.array(scores, dtype=float), np.array(labels)


def test_perfect_and_inverted_scores():
    scores, labels = [0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]
    assert equal_error_rate(scores, labels) == 0.0
    assert area_under_curve(scores, labels) == 1.0
    assert equal_error_rate(scores, [0, 0, 1, 1]) == 1.0
    assert area_under_curve(scores, [0, 0, 1, 1]) == 0.0


def test_hand_computed_points():
    # accepted in order: same, different, same, different -> (0, .5), (.5, .5), (.5, 1), (1, 1)
    curve = roc_curve([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0])
    np.testing.assert_allclose(curve.false_accept_rates, [0, 0, 0.5, 0.5, 1])
    np.testing.assert_allclose(curve.true_accept_rates, [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(curve.false_reject_rates, [1, 0.5, 0.5, 0, 0])
    np.testing.assert_array_equal(curve.thresholds, [-np.inf, 1, 2, 3, 4])
    assert equal_error_rate_of(curve) == pytest.approx(0.5)
    assert area_under_curve([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0]) == pytest.approx(0.75)


def test_a_crossing_inside_a_sloped_segment_is_interpolated():
    # two same and one different share a score: the ROC goes straight from (0, 0) to (1/3, 2/3), and on to
    # (1, 1); 1 - x = ROC(x) on the first segment y = 2x gives x = 1/3 exactly
    scores, labels = [1, 1, 1, 2, 2, 2], [1, 1, 0, 1, 0, 0]
    assert equal_error_rate(scores, labels) == pytest.approx(1 / 3)
    # one same and two different share the lowest: y = x/2 up to (2/3, 1/3), there the sum is 1
    assert equal_error_rate([1, 1, 1, 2, 2, 2], [1, 0, 0, 1, 1, 0]) == pytest.approx(2 / 3)
    # all share one score: chance
    assert equal_error_rate([0, 0, 0], [1, 0, 0]) == pytest.approx(0.5)
    assert area_under_curve([0, 0, 0], [1, 0, 0]) == pytest.approx(0.5)


def test_equals_the_challenge():
    if not GOLDEN.is_file():
        pytest.skip("../shared/data/golden is absent")
    with np.load(GOLDEN) as golden:
        scores, labels = golden["fame_eer/distance"], golden["fame_eer/same"]
        assert equal_error_rate(scores, labels) == pytest.approx(float(golden["fame_eer/eer"]), rel=1e-8)
        assert area_under_curve(scores, labels) == pytest.approx(float(golden["fame_eer/auc"]), rel=1e-12)


@given(scored_trials())
def test_only_the_order_of_scores_counts(trials):
    scores, labels = trials
    moved = np.exp(scores / 3.0) + 5.0
    assert equal_error_rate(moved, labels) == equal_error_rate(scores, labels)
    assert area_under_curve(moved, labels) == area_under_curve(scores, labels)


@given(scored_trials(), st.randoms(use_true_random=False))
def test_the_order_of_trials_does_not_count(trials, random):
    scores, labels = trials
    order = list(range(len(scores)))
    random.shuffle(order)
    assert equal_error_rate(scores[order], labels[order]) == equal_error_rate(scores, labels)


@given(scored_trials())
def test_turning_scores_or_labels_round_mirrors_the_measures(trials):
    scores, labels = trials
    assert equal_error_rate(-scores, labels) == pytest.approx(1 - equal_error_rate(scores, labels))
    assert area_under_curve(-scores, labels) == pytest.approx(1 - area_under_curve(scores, labels))
    assert equal_error_rate(-scores, 1 - labels) == pytest.approx(equal_error_rate(scores, labels))


@given(scored_trials())
def test_area_is_the_share_of_ordered_pairs(trials):
    scores, labels = trials
    same, different = scores[labels == 1][:, None], scores[labels == 0][None, :]
    assert area_under_curve(scores, labels) == pytest.approx(
        np.mean((same < different) + 0.5 * (same == different))
    )


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, 2.0], [1, 1], "one kind is absent"),
        ([1.0, np.nan], [1, 0], "not finite"),
        ([1.0, 2.0], [1, 2], "labels must be"),
        ([1.0, 2.0, 3.0], [1, 0], "vectors of one length"),
    ],
)
def test_refuses_what_has_no_answer(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        equal_error_rate(scores, labels)
