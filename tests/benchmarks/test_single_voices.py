import numpy as np
import pytest

from benchmarks.single_voices import Talk, Voice, find_phrases, read_voices, silence_pauses
from src.core.errors import DatasetError
from src.media.audio import write_audio

RATE = 16_000


def utterance(*spans, seconds=4.0, floor_db=-60.0, seed=0):
    """Tones where somebody speaks, over white noise at `floor_db` below them."""
    samples = np.random.default_rng(seed).normal(size=round(seconds * RATE)) * 0.2 * 10 ** (floor_db / 20)
    time = np.arange(len(samples)) / RATE
    for start, end in spans:
        spoken = slice(round(start * RATE), round(end * RATE))
        samples[spoken] += 0.28 * np.sin(2 * np.pi * 500 * time[spoken])
    return samples.astype(np.float32)


@pytest.mark.parametrize("floor_db", [-70, -40, -15])
def test_phrases_are_found_whatever_the_noise_floor(floor_db):
    found = find_phrases(utterance((0.5, 1.5), (2.0, 3.5), floor_db=floor_db)) / 100
    assert found.tolist() == [pytest.approx([0.46, 1.54], abs=0.03), pytest.approx([1.96, 3.54], abs=0.03)]


def test_pauses_become_silent_and_speech_stays():
    samples = utterance((0.5, 1.5), floor_db=-20)
    silenced = silence_pauses(samples, find_phrases(samples))
    assert not silenced[: int(0.4 * RATE)].any() and not silenced[int(1.7 * RATE) :].any()
    middle = slice(int(0.6 * RATE), int(1.4 * RATE))
    assert np.allclose(silenced[middle], samples[middle], atol=1e-6)


def test_nothing_is_said_twice_while_something_is_left():
    voice = Voice([utterance((0.1, 3.9), seed=number) for number in range(3)])
    talk = Talk({"anna": voice}, np.random.default_rng(0))
    said = [talk("anna", 4.0).tobytes() for _ in range(6)]
    assert len(set(said[:3])) == 3
    assert set(said[3:]) == set(said[:3])


def test_a_stretch_goes_on_at_the_next_phrase():
    voice = Voice([utterance((0.5, 1.5), (2.0, 3.8))])
    talk = Talk({"anna": voice}, np.random.default_rng(0))
    first, second = talk("anna", 0.5), talk("anna", 5.0)
    assert len(first) == 0.5 * RATE
    assert len(second) == pytest.approx((4.0 - 1.96) * RATE, abs=0.03 * RATE)


def test_unknown_and_too_few_people_are_explained(tmp_path):
    for number in range(4):
        write_audio(tmp_path / f"p{number}/a.wav", utterance((0.5, 2.0), seconds=2.5))
    assert set(read_voices(tmp_path)) == {"p0", "p1", "p2", "p3"}
    with pytest.raises(DatasetError, match="no speech of nobody"):
        read_voices(tmp_path, ["nobody"])
    with pytest.raises(DatasetError, match="at least 3 people"):
        read_voices(tmp_path, ["p0", "p1"])
