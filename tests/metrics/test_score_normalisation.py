"""z-, t-, s- and adaptive s-norm: hand-computed numbers, what they take out, refusals."""

import numpy as np
import pytest

from src.core.errors import ListError
from src.metrics.score_normalisation import CohortStatistics, s_norm
from src.metrics.verification import equal_error_rate


def test_hand_computed():
    voices = CohortStatistics.of([[[1.0, 3.0]], [[0.0, 8.0]]])  # means 2, 4; deviations 1, 4
    np.testing.assert_array_equal(voices.mean, [2.0, 4.0])
    np.testing.assert_array_equal(voices.deviation, [1.0, 4.0])
    np.testing.assert_allclose(voices.standardise([1.0, 2.0], [0, 1]), [-1.0, -0.5])  # z-norm
    faces = CohortStatistics.of([[[2.0, 6.0]]])  # mean 4, deviation 2
    np.testing.assert_allclose(faces.standardise([1.0, 2.0], [0, 0]), [-1.5, -1.0])  # t-norm
    np.testing.assert_allclose(s_norm([1.0, 2.0], voices, [0, 1], faces, [0, 0]), [-1.25, -0.75])


def test_adaptive_statistics_are_of_the_nearest_strangers():
    statistics = CohortStatistics.of([[[9.0, 3.0, 1.0, 5.0]]], nearest=2)
    assert (statistics.mean[0], statistics.deviation[0]) == (2.0, 1.0)


def test_blocks_make_no_difference():
    cohort = np.random.default_rng(0).normal(size=(9, 6))
    whole, parts = (
        CohortStatistics.of([cohort], nearest=3),
        CohortStatistics.of([cohort[:4], cohort[4:]], nearest=3),
    )
    np.testing.assert_array_equal(whole.mean, parts.mean)
    np.testing.assert_array_equal(whole.deviation, parts.deviation)


def test_what_is_peculiar_to_a_voice_is_taken_out():
    generator = np.random.default_rng(1)
    offset, scale = generator.normal(0, 5, 40), generator.uniform(0.5, 2, 40)  # of each voice
    voice_rows = np.repeat(np.arange(40), 20)
    labels = np.tile([1, 0], 400)
    scores = (generator.normal(0, 1, 800) - 2 * labels) * scale[voice_rows] + offset[voice_rows]
    cohort = generator.normal(0, 1, (40, 200)) * scale[:, None] + offset[:, None]
    normalised = CohortStatistics.of([cohort]).standardise(scores, voice_rows)
    assert equal_error_rate(scores, labels) > 0.35
    assert equal_error_rate(normalised, labels) < 0.2


def test_refuses():
    with pytest.raises(ListError, match="at least 2 columns"):
        CohortStatistics.of([[[1.0]]])
    with pytest.raises(ListError, match="at least 5 columns"):
        CohortStatistics.of([np.eye(3)], nearest=5)
    with pytest.raises(ListError, match=r"1 of 2 \(rows 1\) items score the same"):
        CohortStatistics.of([[[1.0, 2.0, 3.0], [0.1, 0.1, 0.1]]])
    with pytest.raises(ListError, match="no cohort scores"):
        CohortStatistics.of([])
    statistics = CohortStatistics.of([np.eye(3)])
    with pytest.raises(ListError, match="vectors of one length"):
        statistics.standardise([1.0, 2.0], [0])
    with pytest.raises(ListError, match="there are 3 items"):
        statistics.standardise([1.0], [3])
    with pytest.raises(ListError, match="there are 3 items"):
        statistics.standardise([1.0], [-1])
    with pytest.raises(ListError, match="finite"):
        statistics.standardise([np.nan], [0])
