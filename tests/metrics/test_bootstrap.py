"""Bootstrap over people: draws by hand, agreement with repeated trials, joint draws, refusals."""

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.average_precision import average_precision, average_precision_of
from src.metrics.bootstrap import (
    IdentityDraws,
    Interval,
    bootstrap_curve_measures,
    bootstrap_mean,
    percentile_interval,
)
from src.metrics.detection_cost import minimum_detection_cost, minimum_detection_cost_of
from src.metrics.true_accepts import true_accept_rate_at, true_accept_rate_of
from src.metrics.verification import (
    area_under_curve,
    area_under_curve_of,
    equal_error_rate,
    equal_error_rate_of,
)

PEOPLE = np.array(["ann", "bob", "cid", "dee"])


@pytest.fixture
def trials():
    """Every voice with every face: scores with ties, labels, voice and face identities."""
    voice, face = (axis.ravel() for axis in np.meshgrid(PEOPLE, PEOPLE))
    labels = (voice == face).astype(int)
    scores = np.random.default_rng(4).integers(0, 6, 16) - 1.5 * labels
    return scores, labels, voice, face


def test_measures_are_those_of_a_list_that_repeats_its_trials(trials):
    scores, labels, voice, face = trials
    draws = IdentityDraws.of(voice, face, replicates=25)
    pairs = {
        "eer": (equal_error_rate_of, equal_error_rate),
        "auc": (area_under_curve_of, area_under_curve),
        "cost": (minimum_detection_cost_of, minimum_detection_cost),
        "precision": (average_precision_of, average_precision),
        "accepts": (
            lambda curve: true_accept_rate_of(curve, 0.3),
            lambda s, y: true_accept_rate_at(s, y, 0.3),
        ),
    }
    found = bootstrap_curve_measures(
        draws, scores, labels, (voice, face), {name: of_curve for name, (of_curve, _) in pairs.items()}
    )
    for replicate, counts in enumerate(draws.counts()):
        drawn = dict(zip(PEOPLE, counts.astype(int), strict=True))
        times = [
            drawn[one] if one == other else drawn[one] * drawn[other]
            for one, other in zip(voice, face, strict=True)
        ]
        repeated = np.repeat(scores, times), np.repeat(labels, times)
        for name, (_, plain) in pairs.items():
            both = 0 < repeated[1].sum() < len(repeated[1])
            expected = plain(*repeated) if both else np.nan
            assert found[name][replicate] == pytest.approx(expected, abs=1e-9, nan_ok=True), name


def test_means_by_hand():
    class TwoDraws(IdentityDraws):
        def counts(self):
            yield np.array([2.0, 0.0, 1.0, 1.0])
            yield np.array([0.0, 4.0, 0.0, 0.0])

    draws = TwoDraws(PEOPLE)
    values, probes, others = [1.0, 0.0, 0.5], ["ann", "cid", "dee"], ["ann", "ann", "cid"]
    np.testing.assert_allclose(bootstrap_mean(draws, values, probes), [(2 + 0 + 0.5) / 4, np.nan])
    np.testing.assert_allclose(bootstrap_mean(draws, values, probes, others), [(2 + 0 + 0.5) / 5, np.nan])


def test_lists_share_their_draws(trials):
    scores, labels, voice, face = trials
    draws = IdentityDraws.of(voice, face, replicates=10)
    measures = {"eer": equal_error_rate_of}
    whole = bootstrap_curve_measures(draws, scores, labels, (voice, face), measures)["eer"]
    again = bootstrap_curve_measures(draws, scores[::-1], labels[::-1], (voice[::-1], face[::-1]), measures)[
        "eer"
    ]
    np.testing.assert_allclose(whole, again)
    assert all(counts.sum() == len(PEOPLE) for counts in draws.counts())


def test_the_interval_holds_the_middle_of_the_draws():
    values = np.append(np.arange(201.0), [np.nan] * 10)
    assert percentile_interval(values) == Interval(5.0, 195.0)
    assert percentile_interval(np.array([np.nan, np.nan, 1.0])) is None


def test_the_interval_narrows_with_people():
    widths = []
    for people in (20, 500):
        correct = np.random.default_rng(0).integers(0, 2, people).astype(float)
        draws = IdentityDraws.of(np.arange(people), replicates=200)
        interval = percentile_interval(bootstrap_mean(draws, correct, np.arange(people)))
        assert interval.low < correct.mean() < interval.high
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 3


def test_refuses(trials, refused):
    scores, labels, voice, face = trials
    draws = IdentityDraws.of(voice, replicates=2)
    measures = {"eer": equal_error_rate_of}
    refused(lambda s, y: bootstrap_curve_measures(draws, s, y, (voice[: len(s)], face[: len(s)]), measures))
    with pytest.raises(ListError, match="zoe is not among the 4 people"):
        bootstrap_curve_measures(draws, scores, labels, (voice, np.full(16, "zoe")), measures)
    with pytest.raises(ListError, match="one for each"):
        bootstrap_mean(draws, [1.0, 0.0], ["ann"])
    with pytest.raises(ListError, match="one or two vectors"):
        bootstrap_mean(draws, [1.0])
