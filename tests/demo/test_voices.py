from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.fresh_processes import run_in_fresh_processes
from demo.identity_model import standard_model
from demo.sentences import LANGUAGES, compose_sentence
from demo.speech_synthesis import SpeechSynthesizer
from demo.voice_description import describe_voice, variant_file, vary_by_session
from src.simulation.speech_activity import find_speech

MAN, WOMAN = 0, 4


def voice_of_class(person_class, seed=0):
    return describe_voice(standard_model().sample(person_class, np.random.default_rng(seed)))


def test_a_sentence_can_be_asked_to_be_short():
    stream = np.random.default_rng(0)
    for language in LANGUAGES:
        assert len(compose_sentence(language, stream, 0.5)) < len(compose_sentence(language, stream))


def test_sentences_vary():
    stream = np.random.default_rng(1)
    assert len({compose_sentence("Hindi", stream) for _ in range(100)}) > 90


def test_a_variant_file_says_what_the_voice_is():
    voice = replace(
        voice_of_class(MAN),
        female=False,
        pitch_hz=120.0,
        intonation_semitones=12.0,
        tract_length=0.8,
        formant_offsets=np.zeros(5),
        breathiness=0.5,
        words_per_minute=150.0,
    )
    lines = variant_file(voice, "somebody").splitlines()
    assert "name somebody" in lines and "gender male 30" in lines
    assert "pitch 85 170" in lines  # an octave around 120 Hz
    assert "formant 0 125 100 100" in lines
    assert "breath 0 6 6 6 6 6 3 3" in lines
    assert "voicing 78" in lines


@given(seed=st.integers(0, 1000), kind=st.integers(0, 7))
def test_sessions_change_a_voice_a_little(seed, kind):
    voice = voice_of_class(kind, seed)
    other = vary_by_session(voice, np.random.default_rng(seed))
    assert other.pitch_hz != voice.pitch_hz
    assert abs(np.log(other.pitch_hz / voice.pitch_hz)) < 0.25
    assert abs(np.log(other.tract_length / voice.tract_length)) < 0.05
    np.testing.assert_array_equal(other.formant_offsets, voice.formant_offsets)


def speak_all(seed):
    """Runs in a process of its own: one sentence of a man in every language, and one of a woman."""
    stream = np.random.default_rng(2)
    with SpeechSynthesizer(LANGUAGES) as synthesizer:
        spoken = {
            language: synthesizer.say(compose_sentence(language, stream), voice_of_class(MAN), language, seed)
            for language in LANGUAGES
        }
        spoken["woman"] = synthesizer.say("A woman says this.", voice_of_class(WOMAN), "English", seed)
        spoken["man"] = synthesizer.say("A woman says this.", voice_of_class(MAN), "English", seed)
    return spoken


@pytest.fixture(scope="module")
def spoken():
    return run_in_fresh_processes(speak_all, [1, 1, 2], 2, "speaking")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_spoken(spoken, language):
    sound = spoken[0][language]
    assert sound.dtype == np.float32 and 2 < len(sound) / 16_000 < 12
    assert sum(end - start for start, end in find_speech(sound)) > 2


def test_fresh_processes_say_the_same_bytes_for_a_seed(spoken):
    for language in LANGUAGES:
        np.testing.assert_array_equal(spoken[0][language], spoken[1][language])
    assert any(not np.array_equal(spoken[0][language], spoken[2][language]) for language in LANGUAGES)


def pitch_hz(sound):
    """Lag of the highest peak of the autocorrelation between 60 and 400 Hz."""
    spectrum = np.fft.rfft(sound, 2 * len(sound))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: 16_000 // 60]
    shortest = 16_000 // 400
    return 16_000 / (shortest + int(np.argmax(correlation[shortest:])))


def test_a_woman_speaks_higher_than_a_man(spoken):
    assert pitch_hz(spoken[0]["woman"]) > 1.2 * pitch_hz(spoken[0]["man"])
