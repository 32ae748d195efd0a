"""EER, AUC and ROC: hand-computed numbers, parity with the challenge's code, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from src.metrics.verification import (
    area_under_curve,
    area_under_curve_of,
    equal_error_rate,
    equal_error_rate_and_area,
    equal_error_rate_of,
    roc_curve,
)
from tests.metrics.trial_lists import scored_trials


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


def test_equals_the_challenge(golden):
    scores, labels = golden["fame_eer/distance"], golden["fame_eer/same"]
    assert equal_error_rate(scores, labels) == pytest.approx(float(golden["fame_eer/eer"]), abs=1e-9)
    assert area_under_curve(scores, labels) == pytest.approx(float(golden["fame_eer/auc"]), abs=1e-9)


def test_many_single_precision_scores_equal_scikit_learn():
    generator = np.random.default_rng(5)
    labels = generator.random(300_000) < 0.2
    scores = (generator.standard_normal(300_000) - labels).astype(np.float32)
    scores[:1000] = np.round(scores[:1000])  # ties of both classes, both zeros among them
    rate, area = equal_error_rate_and_area(scores, labels)
    curve = roc_curve(scores, labels)
    assert area == pytest.approx(roc_auc_score(labels, -scores), abs=1e-12)
    assert area_under_curve_of(curve) == pytest.approx(area, abs=1e-12)
    assert equal_error_rate_of(curve) == pytest.approx(rate, abs=1e-12)
    assert equal_error_rate_and_area(scores.astype(np.float64), labels) == (rate, area)


def test_scores_are_not_touched():
    scores = np.array([3.0, 1.0, 2.0], dtype=np.float32)
    equal_error_rate(scores, [0, 1, 0])
    np.testing.assert_array_equal(scores, [3.0, 1.0, 2.0])


@given(scored_trials())
def test_the_curve_gives_the_same_measures(trials):
    curve = roc_curve(*trials)
    rate, area = equal_error_rate_and_area(*trials)
    assert equal_error_rate_of(curve) == pytest.approx(rate, abs=1e-12)
    assert area_under_curve_of(curve) == pytest.approx(area, abs=1e-12)
    assert len(curve.thresholds) == len(np.unique(trials[0])) + 1
    assert curve.same_share == trials[1].mean()


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


@pytest.mark.parametrize("measure", [equal_error_rate, area_under_curve, roc_curve])
def test_refuses_what_has_no_answer(refused, measure):
    refused(measure)
