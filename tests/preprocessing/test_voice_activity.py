import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from preprocessing import voice_activity
from preprocessing.speech_settings import VoiceActivitySettings
from preprocessing.voice_activity import (
    CHUNK_SAMPLES,
    find_speech,
    frame_energies_db,
    load_silero,
    speech_probabilities,
)
from src.core.errors import WeightsError


@pytest.fixture(scope="module")
def silero():
    return load_silero(torch.device("cpu"))


def noise(sample_count, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).normal(size=sample_count)).astype(np.float32)


def buzz(sample_count):
    """Something voice-like: a harmonic sound whose level rises and falls four times a second."""
    time = np.arange(sample_count) / 16000
    pitch = 120 + 10 * np.sin(2 * np.pi * 2 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    harmonics = sum(np.sin(order * phase) / order for order in range(1, 25))
    return (0.1 * harmonics * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


def test_probabilities_equal_those_of_the_package_chunk_by_chunk(silero):
    waveform = buzz(20 * CHUNK_SAMPLES) + noise(20 * CHUNK_SAMPLES, 0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        published = torch.jit.load(str(Path(find_spec("silero_vad").origin).parent / "data/silero_vad.jit"))
    expected = [published(chunk, 16000).item() for chunk in torch.from_numpy(waveform).split(CHUNK_SAMPLES)]
    (found,) = speech_probabilities(silero, [waveform])
    assert found == pytest.approx(np.array(expected), abs=1e-5)
    assert found.max() - found.min() > 0.05


def test_neither_company_nor_blocks_change_a_recording(silero, monkeypatch):
    recordings = [buzz(5000), noise(9001), buzz(512), noise(0)]
    alone = [speech_probabilities(silero, [recording])[0] for recording in recordings]
    together = speech_probabilities(silero, recordings)
    monkeypatch.setattr(voice_activity, "_CHUNKS_AT_ONCE", 3)
    monkeypatch.setattr(voice_activity, "_CHUNKS_IN_BATCH", 12)
    in_blocks = speech_probabilities(silero, recordings)
    assert [len(one) for one in together] == [10, 18, 1, 0]
    for one, other, third in zip(alone, together, in_blocks, strict=True):
        assert other == pytest.approx(one, abs=1e-5)
        assert third == pytest.approx(one, abs=1e-5)


def test_missing_weights_are_explained(monkeypatch):
    monkeypatch.setattr(voice_activity.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="silero-vad"):
        load_silero(torch.device("cpu"))


def test_energies_are_in_decibels_of_full_scale():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    assert np.median(frame_energies_db(0.1 * tone, 0.05)) == pytest.approx(-23.0, abs=0.3)
    assert frame_energies_db(np.zeros(1601, np.float32), 0.05).shape == (11,)


def test_a_gain_does_what_louder_samples_do(silero):
    samples = buzz(9000)
    (louder,) = speech_probabilities(silero, [3 * samples])
    (gained,) = speech_probabilities(silero, [samples], [3.0])
    assert gained == pytest.approx(louder, abs=1e-5)
    assert frame_energies_db(samples, 0.05, gain=3.0) == pytest.approx(
        frame_energies_db(3 * samples, 0.05), abs=1e-4
    )


def test_energies_are_the_same_in_blocks(monkeypatch):
    samples = noise(16001)
    whole = frame_energies_db(samples, 0.05)
    monkeypatch.setattr(voice_activity, "_FRAMES_AT_ONCE", 7)
    assert frame_energies_db(samples, 0.05) == pytest.approx(whole)


def speech_of(samples, probability, **settings):
    probabilities = np.full(-(-len(samples) // CHUNK_SAMPLES), probability, np.float32)
    return find_speech(samples, probabilities, VoiceActivitySettings(**settings))


def test_quiet_frames_are_no_speech_whatever_the_network_says():
    samples = noise(48000, 0.001)
    samples[16000:32000] += noise(16000, 0.1, seed=1)
    speech = speech_of(samples, 0.9)
    assert speech[110:190].all()
    assert not speech[:90].any()
    assert not speech[210:].any()


def test_loud_frames_are_no_speech_unless_the_network_says_so():
    assert not speech_of(noise(32000), 0.1).any()


def test_speech_without_pauses_is_kept():
    steady = noise(48000) * (1 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(48000) / 16000)).astype(np.float32)
    assert speech_of(steady, 0.9).mean() > 0.8


@pytest.mark.parametrize("samples", [np.zeros(16000, np.float32), np.full(16000, 0.5, np.float32)])
def test_silence_and_a_constant_hold_no_speech(silero, samples):
    (probabilities,) = speech_probabilities(silero, [samples])
    assert not find_speech(samples, probabilities, VoiceActivitySettings()).any()
