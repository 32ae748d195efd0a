import numpy as np
import pytest

from preprocessing.conditioning import band_pass, clean_recording, set_level
from preprocessing.speech_settings import CleaningSettings

TIME = np.arange(16000) / 16000


def tone(frequency_hz):
    return np.sin(2 * np.pi * frequency_hz * TIME).astype(np.float32)


def middle_rms(samples):
    return float(np.sqrt(np.mean(samples[4000:12000] ** 2)))


def test_the_band_passes_and_the_rest_goes_without_delay():
    assert middle_rms(band_pass(tone(20), 80, 7600)) < 0.01
    assert middle_rms(band_pass(tone(7900), 80, 7600)) < 0.1
    passed = band_pass(tone(1000), 80, 7600)
    assert np.abs(passed[4000:12000] - tone(1000)[4000:12000]).max() < 0.01


@pytest.mark.parametrize("sample_count", [0, 1, 5, 200])
def test_the_band_takes_any_length(sample_count):
    assert band_pass(np.ones(sample_count, np.float32), 80, 7600).shape == (sample_count,)


def test_the_level_is_reached():
    louder = set_level(0.001 * tone(440), level_db=-25, peak_db=-1)
    assert np.sqrt(np.mean(louder**2)) == pytest.approx(10 ** (-25 / 20), rel=1e-4)


def test_a_peak_limits_the_level():
    samples = np.zeros(16000, np.float32)
    samples[8000] = 0.5
    assert np.abs(set_level(samples, level_db=-25, peak_db=-1)).max() == pytest.approx(
        10 ** (-1 / 20), rel=1e-4
    )


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32)])
def test_silence_stays_silence(samples):
    assert not set_level(samples, -25, -1).any()


def test_cleaning_none_leaves_the_noise():
    noise = np.random.default_rng(0).normal(size=16000).astype(np.float32) * 0.1
    plain = clean_recording(noise, CleaningSettings(clean="none"))
    assert np.array_equal(plain, band_pass(noise, 80.0, 7600.0))
    assert middle_rms(clean_recording(noise, CleaningSettings())) < 0.7 * middle_rms(plain)
