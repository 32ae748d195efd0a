"""Calibration of a mean of members by what each says of its own fold: exact in a world of Gaussians."""

import json

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.calibration import fit_calibration
from src.metrics.log_likelihood_ratio_cost import log_likelihood_ratio_cost
from src.metrics.member_calibration import (
    MemberScores,
    calibrate_members,
    calibration_quality,
    fit_member_calibration,
    out_of_fold_ratios,
)


def members_of_a_gaussian_world(trials=3000, members=5, agreement=1.0, seed=4):
    """Scores (members, trials) of pairs that are new to all: each member has a scale and a zero of its own.

    agreement: share of the variance that all members have in common.
    """
    generator = np.random.default_rng(seed)
    labels = (np.arange(trials) % 4 == 0).astype(int)
    common = generator.normal(size=trials) * np.sqrt(agreement)
    own = generator.normal(size=(members, trials)) * np.sqrt(1 - agreement)
    evidence = np.where(labels == 1, -1.0, 1.0) + common + own
    scale, zero = np.linspace(0.5, 2.0, members)[:, None], np.linspace(-3, 4, members)[:, None]
    return zero + scale * evidence, labels


def folds(scores, labels):
    """Each trial scored by one member alone, as validation does."""
    members = np.arange(scores.shape[1]) // 4 % len(scores)
    return scores[members, np.arange(scores.shape[1])], labels, members


def test_members_that_err_alike_are_calibrated_exactly():
    scores, labels = members_of_a_gaussian_world()
    fitted = fit_member_calibration(*folds(scores, labels))
    new, new_labels = members_of_a_gaussian_world(seed=5)
    # classes at ±1 with variance 1: the ratio is -2 · evidence, and the mean score is mean zero + mean scale · evidence
    evidence = (new.mean(axis=0) - 0.5) / 1.25
    np.testing.assert_allclose(fitted.log_likelihood_ratios(new.mean(axis=0)), -2 * evidence, atol=0.25)
    assert new_labels.sum() == 750


def test_members_that_err_apart_make_careful_probabilities_and_never_bold_ones():
    scores, labels = members_of_a_gaussian_world(agreement=0.5)
    ratios = fit_member_calibration(*folds(scores, labels)).log_likelihood_ratios(scores.mean(axis=0))
    best = fit_calibration(scores.mean(axis=0), labels).log_likelihood_ratios(scores.mean(axis=0))
    assert np.polyfit(best, ratios, 1)[0] == pytest.approx(0.62, abs=0.12)
    alone = log_likelihood_ratio_cost(out_of_fold_ratios(*folds(scores, labels)), labels)
    assert log_likelihood_ratio_cost(ratios, labels) < alone


def test_one_member_is_plain_logistic_calibration():
    scores, labels = members_of_a_gaussian_world(members=1, trials=400)
    fitted = fit_member_calibration(scores[0], labels, np.zeros(400, int))
    plain = fit_calibration(scores[0], labels)
    assert fitted.weights[0] == pytest.approx(plain.weights[0], rel=1e-4)
    assert fitted.offset == pytest.approx(plain.offset, abs=1e-4)


def test_standardised_scores_by_hand():
    # member 0: class means 0 and 4, deviations 1; member 1: 10 and 12, deviations 0.5
    scores, labels = [-1, 1, 3, 5, 9.5, 10.5, 11.5, 12.5], [1, 1, 0, 0] * 2
    found = MemberScores.of(scores, labels, [0] * 4 + [1] * 4)
    np.testing.assert_allclose(found.standardised, [-3, -1, 1, 3, -3, -1, 1, 3])
    assert (found.midpoint, found.deviation) == (6.5, 0.75)


def test_the_share_of_same_person_pairs_moves_no_scale():
    scores, labels = members_of_a_gaussian_world()
    score, label, member = folds(scores, labels)
    kept = (label == 1) | (np.arange(len(label)) % 8 < 2) | (member != 2)
    whole, part = (
        MemberScores.of(score, label, member),
        MemberScores.of(score[kept], label[kept], member[kept]),
    )
    assert part.midpoint == pytest.approx(whole.midpoint, abs=0.05)
    assert part.deviation == pytest.approx(whole.deviation, abs=0.05)


def test_each_fold_is_judged_by_a_calibration_of_the_others():
    scores, labels = members_of_a_gaussian_world(trials=600)
    score, label, member = folds(scores, labels)
    ratios = out_of_fold_ratios(score, label, member)
    standardised, own = MemberScores.of(score, label, member).standardised, member == 3
    others = fit_calibration(standardised[~own], label[~own])
    np.testing.assert_allclose(ratios[own], others.log_likelihood_ratios(standardised[own]))


def test_quality_and_details_are_ready_for_json():
    scores, labels = members_of_a_gaussian_world()
    found = calibrate_members(*folds(scores, labels))
    details = json.loads(json.dumps(found.details()))
    assert details["fitted_on"] == {"validation_pairs": 3000, "members": 5}
    assert details["quality"]["minimum_cllr"] <= details["quality"]["cllr"] < 0.6
    assert details["quality"]["expected_calibration_error"] < 0.03
    assert sum(details["quality"]["reliability"]["trials"]) == 3000
    assert calibration_quality(np.zeros(4), [1, 0, 0, 0]).cllr == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "members", "message"),
    [
        (
            [1, 2, 3, 5, 6],
            [1, 1, 0, 0, 0],
            [0, 0, 0, 0, 1],
            "member 1: its validation pairs are all of one kind",
        ),
        ([1, 2, 3, 3], [1, 0, 1, 0], [0, 0], "must be of one length"),
        ([1, 2], [1, 0], [0, 0], "member 0: gives all pairs of a kind the same score"),
        ([1, np.nan], [1, 0], [0, 0], "finite"),
    ],
)
def test_refuses(scores, labels, members, message):
    with pytest.raises(ListError, match=message):
        calibrate_members(scores, labels, members)
