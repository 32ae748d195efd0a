import math

import numpy as np
import pytest

from preprocessing.noise_tracking import (
    SMALLEST_NOISE_POWER,
    NoiseTracker,
    frame_energies,
    quietest_noise_power,
)
from preprocessing.short_time_spectra import BIN_COUNT, power_of, spectra_of, windowed_frames


def noise(level, sample_count, seed=0):
    return (level * np.random.default_rng(seed).normal(size=sample_count)).astype(np.float32)


def test_frame_energies_are_those_of_the_frames():
    samples = noise(1, 2000)
    assert frame_energies(samples) == pytest.approx(
        (windowed_frames(samples, 0, 9) ** 2).sum(axis=1), rel=1e-5
    )


def test_noise_power_is_the_mean_of_the_quietest_frames():
    samples = np.concatenate([noise(0.01, 16_000), noise(0.5, 16_000)])
    power = power_of(spectra_of(windowed_frames(samples, 5, 60))).mean(axis=0)
    found = quietest_noise_power(samples, percentile=40, bias=2.0)
    assert found.sum() == pytest.approx(2 * power.sum(), rel=0.1)


def test_digital_silence_is_no_noise():
    samples = np.concatenate([np.zeros(32_000, np.float32), noise(0.01, 16_000)])
    assert quietest_noise_power(samples, 10, 1.0) == pytest.approx(
        quietest_noise_power(noise(0.01, 16_000), 10, 1.0), rel=0.5
    )
    assert quietest_noise_power(np.zeros(4000, np.float32), 10, 1.0) == pytest.approx(SMALLEST_NOISE_POWER)


def test_one_step_of_the_tracker_by_hand():
    start, observed, memory = 2.0, 3.0, 0.8
    xi = 10**1.5
    presence = 1 / (1 + (1 + xi) * math.exp(-observed / start * xi / (1 + xi)))
    expected = memory * start + (1 - memory) * (presence * start + (1 - presence) * observed)
    tracker = NoiseTracker(np.array([start]), memory)
    assert tracker.track(np.array([[observed]], np.float32)) == pytest.approx(expected, rel=1e-5)


def test_blocks_do_not_matter():
    power = np.random.default_rng(0).exponential(size=(100, BIN_COUNT)).astype(np.float32)
    whole = NoiseTracker(np.ones(BIN_COUNT), 0.9).track(power)
    tracker = NoiseTracker(np.ones(BIN_COUNT), 0.9)
    assert np.array_equal(np.concatenate([tracker.track(power[:37]), tracker.track(power[37:])]), whole)


@pytest.mark.parametrize("level", [0.1, 3.0, 1000.0])
def test_the_tracker_finds_the_noise_wherever_it_starts(level):
    power = level * np.random.default_rng(0).exponential(size=(3000, 20)).astype(np.float32)
    found = NoiseTracker(np.ones(20), 0.95).track(power)[-1]
    assert found.mean() == pytest.approx(level, rel=0.25)


def test_speech_is_not_taken_for_noise():
    power = np.ones((100, 4), np.float32)
    power[20:35] = 10_000  # a quarter of a second
    assert NoiseTracker(np.ones(4), 0.95).track(power).max() < 2


def test_digital_silence_leaves_the_estimate_alone():
    power = np.ones((50, 4), np.float32)
    power[10:] = 0
    tracked = NoiseTracker(np.ones(4), 0.95).track(power)
    assert np.array_equal(tracked[10:], np.repeat(tracked[9:10], 40, axis=0))
