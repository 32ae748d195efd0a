"""A conversation recorded in a room, with noise, through a channel: one voice file and its truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from src.artifacts.turns import SpeakerTurn
from src.simulation.conversation import ConversationStyle, Speak, hold_conversation
from src.simulation.noise import NOISE_KINDS, add_noise, babble, coloured_noise
from src.simulation.recording_channel import RecordingChannel, apply_channel, draw_channel, set_volume
from src.simulation.rooms import Room, draw_room, impulse_response, place_speaker, reverberate

_MAIN_DISTANCE_METRES, _OTHER_DISTANCE_METRES = (0.4, 1.2), (1.0, 2.5)
SIGNAL_TO_NOISE_DB = (5.0, 20.0)


@dataclass(frozen=True, kw_only=True)
class RecordingSetting:
    """What all recordings of one video share; None leaves the voices and the sum of them as they are."""

    room: Room | None
    channel: RecordingChannel | None
    noise_kind: str


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The samples of a voice file, float32 of shape (samples,) at 16 kHz, and who speaks when."""

    samples: np.ndarray
    turns: list[SpeakerTurn]


def draw_setting(stream: np.random.Generator) -> RecordingSetting:
    """A room, a microphone and a kind of noise."""
    return RecordingSetting(
        room=draw_room(stream),
        channel=draw_channel(stream),
        noise_kind=NOISE_KINDS[stream.integers(len(NOISE_KINDS))],
    )


def dry_setting(stream: np.random.Generator) -> RecordingSetting:
    """Neither room nor microphone, and a kind of noise."""
    return RecordingSetting(
        room=None, channel=None, noise_kind=NOISE_KINDS[stream.integers(len(NOISE_KINDS))]
    )


def record_conversation(
    setting: RecordingSetting,
    main: str,
    others: Sequence[str],
    speak: Speak,
    background_talk: Callable[[], Sequence[np.ndarray]],
    duration_seconds: float,
    stream: np.random.Generator,
    style: ConversationStyle | None = None,
    signal_to_noise_db: tuple[float, float] = SIGNAL_TO_NOISE_DB,
) -> Recording:
    """Record `main`, alone or with `others`.

    speak: returns a new dry sentence of a person (see `hold_conversation`, which takes the style too).
    background_talk: returns the utterances of babble. signal_to_noise_db: range of the noise.
    """
    conversation = hold_conversation(main, others, speak, duration_seconds, stream, style)
    heard: dict[str, np.ndarray] = {}
    for person, stem in conversation.stems.items():
        if setting.room is None:
            heard[person] = stem
            continue
        distances = _MAIN_DISTANCE_METRES if person == main else _OTHER_DISTANCE_METRES
        position = place_speaker(setting.room, stream.uniform(*distances), stream)
        heard[person] = reverberate(stem, impulse_response(setting.room, position))
    spoken = conversation.stems[main] != 0
    signal_power = float(np.mean(np.square(heard[main][spoken], dtype=np.float64)))
    length = len(spoken)
    if setting.noise_kind == "babble":
        noise = babble(background_talk(), length, stream)
    else:
        noise = coloured_noise(setting.noise_kind, length, stream)
    mixture = np.asarray(np.sum(list(heard.values()), axis=0, dtype=np.float32))
    mixture = add_noise(mixture, noise, signal_power, stream.uniform(*signal_to_noise_db))
    if setting.channel is not None:
        mixture = apply_channel(mixture, setting.channel)
    return Recording(samples=set_volume(mixture, stream), turns=conversation.turns)
