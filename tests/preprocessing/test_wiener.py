import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import stft

from preprocessing.wiener import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    quietest_noise_power,
    spectrum,
    waveform,
    wiener_filter,
    wiener_gain,
)

OPTIONS = {"noise_percentile": 10, "noise_bias": 1.0, "smoothing": 0.9, "gain_floor_db": -15}


@given(st.integers(1, 5000), st.integers(0, 2**32 - 1))
def test_the_transform_round_trip_is_exact(sample_count, seed):
    samples = np.random.default_rng(seed).normal(size=sample_count).astype(np.float32)
    assert np.allclose(waveform(spectrum(samples), sample_count), samples, atol=2e-6)


def test_the_transform_is_the_usual_one():
    samples = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    _, _, expected = stft(
        samples, nperseg=FRAME_SAMPLES, noverlap=FRAME_SAMPLES - HOP_SAMPLES, boundary=None, padded=False
    )
    scale = FRAME_SAMPLES / 2  # SciPy divides by the window's sum
    first = (FRAME_SAMPLES - HOP_SAMPLES) // HOP_SAMPLES
    own = spectrum(samples)[first : first + expected.shape[1]]
    assert np.allclose(own, expected.T * scale, atol=1e-3)


def test_noise_power_is_the_mean_of_the_quietest_frames():
    power = np.array([[1.0, 3.0], [100.0, 100.0], [3.0, 1.0], [50.0, 60.0]], np.float32)
    assert quietest_noise_power(power, 50, 2.0) == pytest.approx([4.0, 4.0])


def test_digital_silence_is_no_noise():
    power = np.array([[0.0, 0.0]] * 5 + [[1.0, 3.0], [100.0, 100.0]], np.float32)
    assert quietest_noise_power(power, 1, 1.0) == pytest.approx([1.0, 3.0])
    assert np.isfinite(quietest_noise_power(np.zeros((4, 2), np.float32), 10, 1.0)).all()


def test_the_gain_follows_the_decision_directed_rule():
    power = np.array([[5.0], [3.0]], np.float32)
    gain = wiener_gain(power, np.array([1.0], np.float32), smoothing=0.5, gain_floor_db=-60)
    first = 4 / 5  # prior 4 by itself
    second_prior = 0.5 * first**2 * 5 + 0.5 * 2
    assert gain[:, 0] == pytest.approx([first, second_prior / (1 + second_prior)])


@given(st.floats(0, 0.99), st.floats(-40, 0), st.integers(0, 2**32 - 1))
def test_the_gain_stays_between_its_floor_and_one(smoothing, floor_db, seed):
    power = np.random.default_rng(seed).exponential(size=(20, 5)).astype(np.float32)
    gain = wiener_gain(power, np.ones(5, np.float32), smoothing, floor_db)
    assert gain.min() >= 10 ** (floor_db / 20) * (1 - 1e-6)
    assert gain.max() <= 1


def tone_bursts_and_noise(noise_level):
    generator = np.random.default_rng(1)
    time = np.arange(32000) / 16000
    bursts = (0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 2 * time) > 0)).astype(np.float32)
    return bursts, bursts + noise_level * generator.normal(size=len(time)).astype(np.float32)


def distortion_db(estimate, clean):
    scaled = (estimate @ clean) / (clean @ clean) * clean
    return 10 * np.log10((scaled @ scaled) / ((estimate - scaled) @ (estimate - scaled)))


def test_noise_goes_down_and_the_signal_stays():
    clean, noisy = tone_bursts_and_noise(0.1)
    assert distortion_db(wiener_filter(noisy, **OPTIONS), clean) > distortion_db(noisy, clean) + 8
    _, nearly_clean = tone_bursts_and_noise(0.0005)
    assert distortion_db(wiener_filter(nearly_clean, **OPTIONS), clean) > 25


@pytest.mark.parametrize("sample_count", [0, 1, 100, 513])
def test_any_length_comes_back_and_silence_stays_silent(sample_count):
    assert not wiener_filter(np.zeros(sample_count, np.float32), **OPTIONS).any()
    sound = np.random.default_rng(0).normal(size=sample_count).astype(np.float32)
    filtered = wiener_filter(sound, **OPTIONS)
    assert filtered.shape == sound.shape
    assert filtered.dtype == np.float32
    assert np.isfinite(filtered).all()
