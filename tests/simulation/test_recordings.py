import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.simulation.noise import NOISE_KINDS, add_noise, babble, coloured_noise
from src.simulation.recording import draw_setting, record_conversation
from src.simulation.recording_channel import RecordingChannel, apply_channel, set_volume
from src.simulation.rooms import Room, draw_room, impulse_response, place_speaker, reverberate

RATE = 16_000


def tone(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


def power_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def test_the_floor_reflection_arrives_when_geometry_says():
    room = Room(
        size_metres=np.array([6.0, 5.0, 3.0]),
        microphone_metres=np.array([3.0, 2.5, 1.0]),
        reverberation_seconds=0.3,
    )
    response = impulse_response(room, np.array([4.0, 2.5, 1.0]))
    assert response[0] == pytest.approx(1)
    # Straight 1 m; by the floor, √(1² + 2²) m, which is nearer than any other wall.
    delay = (np.sqrt(5) - 1) / 343 * RATE
    assert np.flatnonzero(np.abs(response) > 1e-6)[1] == int(delay)
    assert response[int(delay)] + response[int(delay) + 1] < 1 / np.sqrt(5)


@given(seed=st.integers(0, 1000))
def test_speakers_stand_inside_the_room_and_rooms_keep_length(seed):
    stream = np.random.default_rng(seed)
    room = draw_room(stream)
    position = place_speaker(room, 2.5, stream)
    assert (position > 0).all() and (position < room.size_metres).all()
    dry = tone(300, 0.2)
    wet = reverberate(dry, impulse_response(room, position))
    assert wet.shape == dry.shape and np.isfinite(wet).all()


def test_noise_comes_at_the_level_asked_for():
    speech = tone(200, 4)
    noisy = add_noise(speech, coloured_noise("pink", len(speech), np.random.default_rng(0)), 0.5, 10)
    assert power_db(speech) - power_db(noisy - speech) == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(("kind", "db_per_octave"), [("white", 0.0), ("pink", -3.0), ("brown", -6.0)])
def test_coloured_noise_falls_by_its_slope(kind, db_per_octave):
    noise = coloured_noise(kind, 20 * RATE, np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    low, high = (10 * np.log10(spectrum[20 * first : 40 * first].mean()) for first in (250, 2000))
    assert (high - low) / 3 == pytest.approx(db_per_octave, abs=0.3)


def test_babble_has_unit_level_and_any_length():
    layers = babble([tone(200, 0.3), 5 * tone(330, 0.4)], 2 * RATE, np.random.default_rng(2))
    assert layers.shape == (2 * RATE,) and power_db(layers) == pytest.approx(0, abs=0.01)


def test_a_telephone_takes_what_is_outside_its_band_and_nothing_inside():
    telephone = RecordingChannel(lowest_hz=300, highest_hz=3400, tilt_db_per_octave=0)
    loss = {hz: power_db(tone(hz)) - power_db(apply_channel(tone(hz), telephone)) for hz in (80, 1000, 6000)}
    assert loss[1000] < 0.5 and loss[80] > 15 and loss[6000] > 15


@given(seed=st.integers(0, 500))
def test_volume_stays_within_full_scale(seed):
    loud = set_volume(tone(100, 0.1), np.random.default_rng(seed))
    assert 0.005 < np.abs(loud).max() <= 0.999


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_a_recording_has_the_asked_length_and_the_turns_of_its_people(kind):
    stream = np.random.default_rng(4)
    setting = draw_setting(stream)
    setting = type(setting)(room=setting.room, channel=setting.channel, noise_kind=kind)
    recording = record_conversation(
        setting, "a", ["b"], lambda _name, _seconds: tone(170, 3), lambda: [tone(220, 2)], 7.0, stream
    )
    assert recording.samples.shape == (7 * RATE,) and recording.samples.dtype == np.float32
    assert np.isfinite(recording.samples).all() and np.abs(recording.samples).max() <= 1
    assert {turn.speaker for turn in recording.turns} <= {"a", "b"}
