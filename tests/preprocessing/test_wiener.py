from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.speech_settings import CleaningSettings
from preprocessing.wiener import decision_directed_gain, plain_gain, wiener_filter

REAL_SPEECH = Path(__file__).resolve().parents[3] / "shared/data/librispeech/train"
KINDS = ("tracked", "percentile")


def of_one(power):
    return np.ones_like(power)


def test_the_gain_follows_the_decision_directed_rule():
    power = np.array([[5.0], [3.0]], np.float32)
    gain = decision_directed_gain(of_one, smoothing=0.5, floor=0.001)(power)
    first = 4 / 5  # prior 4 by itself
    second_prior = 0.5 * first**2 * 5 + 0.5 * 2
    assert gain[:, 0] == pytest.approx([first, second_prior / (1 + second_prior)])


def test_the_plain_gain_by_hand():
    power = np.array([[4.0, 0.5, 1.05, 0.0]], np.float32)
    assert plain_gain(np.ones(4, np.float32), 0.1)(power)[0] == pytest.approx([0.75, 0.1, 0.1, 0.1])


@given(st.floats(0, 0.99), st.floats(0.01, 1), st.integers(0, 2**32 - 1))
def test_the_gain_stays_between_its_floor_and_one(smoothing, floor, seed):
    power = np.random.default_rng(seed).exponential(size=(20, 5)).astype(np.float32)
    for rule in (decision_directed_gain(of_one, smoothing, floor), plain_gain(np.ones(5, np.float32), floor)):
        gain = rule(power.copy())
        assert gain.min() >= floor * (1 - 1e-6)
        assert gain.max() <= 1


def test_blocks_do_not_matter():
    power = np.random.default_rng(0).exponential(size=(40, 5)).astype(np.float32)
    whole = decision_directed_gain(of_one, 0.9, 0.1)(power)
    rule = decision_directed_gain(of_one, 0.9, 0.1)
    assert np.array_equal(np.concatenate([rule(power[:17]), rule(power[17:])]), whole)


def tone_bursts_and_noise(noise_level):
    generator = np.random.default_rng(1)
    time = np.arange(32000) / 16000
    bursts = (0.3 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 2 * time) > 0)).astype(np.float32)
    return bursts, bursts + noise_level * generator.normal(size=len(time)).astype(np.float32)


def distortion_db(estimate, clean):
    scaled = (estimate @ clean) / (clean @ clean) * clean
    return 10 * np.log10((scaled @ scaled) / ((estimate - scaled) @ (estimate - scaled)))


@pytest.mark.parametrize("kind", KINDS)
def test_noise_goes_down_and_the_signal_stays(kind):
    settings = CleaningSettings(wiener=kind)
    clean, noisy = tone_bursts_and_noise(0.1)
    gained = distortion_db(wiener_filter(noisy, settings), clean) - distortion_db(noisy, clean)
    assert gained > {"tracked": 8, "percentile": 5}[kind]
    _, nearly_clean = tone_bursts_and_noise(0.0005)
    assert distortion_db(wiener_filter(nearly_clean, settings), clean) > 20


def test_noise_that_rises_is_followed():
    level = np.concatenate([np.full(32_000, 0.01), np.full(64_000, 0.03)])
    noise = (level * np.random.default_rng(0).normal(size=len(level))).astype(np.float32)
    left = {kind: wiener_filter(noise, CleaningSettings(wiener=kind))[-16_000:].std() for kind in KINDS}
    assert left["tracked"] < 0.4 * 0.03
    assert left["percentile"] > 0.9 * 0.03


def test_real_speech_gains_5_db_and_clean_speech_keeps_20():
    if not REAL_SPEECH.is_dir():
        pytest.skip("../shared/data/librispeech is absent")
    gained, kept = [], []
    for seed, path in enumerate(sorted(REAL_SPEECH.glob("*.flac"))[:4]):
        clean, _ = soundfile.read(path, dtype="float32", frames=160_000)
        white = np.random.default_rng(seed).normal(size=len(clean)).astype(np.float32)
        noisy = clean + white * clean.std() * 10 ** (-5 / 20)
        gained.append(
            distortion_db(wiener_filter(noisy, CleaningSettings()), clean) - distortion_db(noisy, clean)
        )
        kept.append(distortion_db(wiener_filter(clean, CleaningSettings()), clean))
    assert np.mean(gained) >= 5
    assert np.mean(kept) >= 20


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample_count", [0, 1, 100, 513])
def test_any_length_comes_back_and_silence_stays_silent(kind, sample_count):
    settings = CleaningSettings(wiener=kind)
    assert not wiener_filter(np.zeros(sample_count, np.float32), settings).any()
    sound = np.random.default_rng(0).normal(size=sample_count).astype(np.float32)
    filtered = wiener_filter(sound, settings)
    assert filtered.shape == sound.shape
    assert filtered.dtype == np.float32
    assert np.isfinite(filtered).all()
