import tracemalloc

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from preprocessing.conditioning import band_pass, clean_recording, set_level, trim_silence
from preprocessing.speech_settings import CleaningSettings

TIME = np.arange(16000) / 16000


def tone(frequency_hz):
    return np.sin(2 * np.pi * frequency_hz * TIME).astype(np.float32)


def noise(sample_count, level=0.1):
    return (level * np.random.default_rng(0).normal(size=sample_count)).astype(np.float32)


def middle_rms(samples):
    return float(np.sqrt(np.mean(samples[4000:12000] ** 2)))


def test_the_band_passes_and_the_rest_goes_without_delay():
    assert middle_rms(band_pass(tone(20), 80, 7600)) < 0.01
    assert middle_rms(band_pass(tone(7900), 80, 7600)) < 0.1
    passed = band_pass(tone(1000), 80, 7600)
    assert np.abs(passed[4000:12000] - tone(1000)[4000:12000]).max() < 0.01


@pytest.mark.parametrize("sample_count", [2000, 16_000, 100_001])
@pytest.mark.parametrize("lowest_hz", [20, 80, 300])
def test_the_band_is_that_of_the_filter_run_both_ways_over_the_whole_recording(sample_count, lowest_hz):
    samples = noise(sample_count) + 0.3
    sections = butter(4, [lowest_hz, 7600], btype="bandpass", fs=16_000, output="sos")
    expected = sosfiltfilt(sections, samples.astype(np.float64), padlen=min(sample_count - 1, 6000))
    inside = slice(None) if lowest_hz > 20 and sample_count > 2000 else slice(900, -900)
    assert np.abs(band_pass(samples, lowest_hz, 7600) - expected)[inside].max() < 1e-4


@pytest.mark.parametrize("sample_count", [0, 1, 5, 200])
def test_the_band_takes_any_length(sample_count):
    passed = band_pass(np.ones(sample_count, np.float32), 80, 7600)
    assert passed.shape == (sample_count,)
    assert passed == pytest.approx(0, abs=1e-3)  # a constant is no sound


def test_the_level_is_reached():
    louder = set_level(0.001 * tone(440), level_db=-25, peak_db=-1)
    assert np.sqrt(np.mean(louder**2)) == pytest.approx(10 ** (-25 / 20), rel=1e-4)


def test_a_peak_limits_the_level():
    samples = np.zeros(16000, np.float32)
    samples[8000] = -0.5
    assert np.abs(set_level(samples, level_db=-25, peak_db=-1)).max() == pytest.approx(
        10 ** (-1 / 20), rel=1e-4
    )


def test_without_a_level_only_what_is_too_loud_changes():
    assert np.array_equal(set_level(0.1 * tone(440), None, -1), 0.1 * tone(440))
    assert np.abs(set_level(2 * tone(440), None, -6)).max() == pytest.approx(10 ** (-6 / 20), rel=1e-4)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32)])
def test_silence_stays_silence(samples):
    assert not set_level(samples, -25, -1).any()


def test_each_part_can_be_left_out():
    samples = noise(16000)
    banded = band_pass(samples, 80.0, 7600.0)
    assert np.array_equal(clean_recording(samples, CleaningSettings(clean="none")), banded)
    assert np.array_equal(clean_recording(samples, CleaningSettings(clean="none", band_pass=False)), samples)
    with_hum = clean_recording(tone(20) + samples, CleaningSettings(band_pass=False, wiener="percentile"))
    assert middle_rms(with_hum) > 2 * middle_rms(clean_recording(tone(20) + samples, CleaningSettings()))
    for kind in ("tracked", "percentile"):
        assert middle_rms(clean_recording(samples, CleaningSettings(wiener=kind))) < 0.9 * middle_rms(banded)


@pytest.mark.parametrize("band_passed", [True, False])
@pytest.mark.parametrize("clean", ["wiener", "none"])
def test_in_place_is_the_same_and_the_default_leaves_the_recording_alone(band_passed, clean):
    settings = CleaningSettings(band_pass=band_passed, clean=clean)
    samples = noise(50_000)
    apart = clean_recording(samples, settings)
    assert np.array_equal(samples, noise(50_000))
    assert apart is not samples
    assert clean_recording(samples, settings, out=samples) is samples
    assert np.array_equal(samples, apart)
    level = set_level(samples, -25, -1)
    assert np.array_equal(set_level(samples, -25, -1, out=samples), level)


@pytest.mark.parametrize("kind", ["tracked", "percentile"])
def test_memory_does_not_grow_with_the_recording(kind):
    settings = CleaningSettings(wiener=kind)
    clean_recording(noise(40_000), settings)  # compiles
    peaks = []
    for sample_count in (500_000, 2_000_000):
        samples = noise(sample_count)
        tracemalloc.start()
        set_level(clean_recording(samples, settings, out=samples), -25, -1, out=samples)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 15e6
    assert peaks[1] - peaks[0] < 0.5e6  # a few bytes a frame


def test_trimming_takes_silence_off_the_ends_alone():
    samples = np.full(1600, 1e-4, np.float32)
    samples[320:480] = samples[1120:1280] = 0.5  # frames 2 and 7 of ten
    assert trim_silence(samples, np.array([[0, 4], [5, 10]]), 40).tolist() == [[2, 4], [5, 8]]
    assert trim_silence(samples, np.array([[0, 1], [2, 10]]), 40).tolist() == [[2, 8]]
    assert trim_silence(samples, np.array([[0, 10]]), 200).tolist() == [[0, 10]]
    assert trim_silence(samples, np.zeros((0, 2), int), 40).tolist() == []
    assert trim_silence(np.zeros(1700, np.float32), np.array([[0, 11]]), 40).tolist() == [[0, 11]]


@pytest.mark.parametrize("wiener", ["tracked", "percentile"])
def test_half_precision_changes_little(wiener):
    stream = np.random.default_rng(0)
    settings = CleaningSettings(wiener=wiener)
    samples = (0.1 * stream.standard_normal(48_000)).astype(np.float32)
    single = clean_recording(samples, settings)
    halves = samples.astype(np.float16)
    assert clean_recording(halves, settings, out=halves) is halves
    error = single.astype(np.float64) - halves
    assert 10 * np.log10(np.square(single, dtype=np.float64).sum() / np.square(error).sum()) > 50
