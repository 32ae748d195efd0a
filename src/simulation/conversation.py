"""Who talks when: a conversation in which one person talks most, and others in between and over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from src.artifacts.turns import SpeakerTurn
from src.media.audio import SAMPLE_RATE_HZ
from src.simulation.speech_activity import find_speech, trim_silence

Speak = Callable[[str, float], np.ndarray]

_SPEECH_RMS = 0.08
_FADE_SAMPLES = 400
_SHORTEST_UTTERANCE_SECONDS = 0.4
_SILENT_END_SECONDS = 0.1
_ATTEMPTS = 6


@dataclass(frozen=True, kw_only=True)
class ConversationStyle:
    """How people talk to each other.

    main_share: range of the main speaker's wanted share of all speech.
    overlap_probability: that a new speaker starts before the last has ended.
    interjection_probability: that somebody speaks into a longer turn of the main speaker.
    pause_seconds: range of the pauses between turns.
    main_turn_seconds, other_turn_seconds, interjection_seconds: ranges of lengths.
    """

    main_share: tuple[float, float] = (0.6, 0.75)
    accepted_share: tuple[float, float] = (0.55, 0.80)
    overlap_probability: float = 0.35
    interjection_probability: float = 0.25
    pause_seconds: tuple[float, float] = (0.15, 0.9)
    main_turn_seconds: tuple[float, float] = (2.0, 5.5)
    other_turn_seconds: tuple[float, float] = (0.8, 3.0)
    interjection_seconds: tuple[float, float] = (0.5, 1.2)


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Dry speech of each person, float32 of shape (samples,) at 16 kHz, and who speaks when."""

    stems: dict[str, np.ndarray]
    turns: list[SpeakerTurn]


def hold_conversation(
    main: str,
    others: Sequence[str],
    speak: Speak,
    duration_seconds: float,
    stream: np.random.Generator,
    style: ConversationStyle | None = None,
) -> Conversation:
    """Let `main` talk, alone or with `others`; `speak(person, seconds)` returns a new dry sentence of
    a person, not much longer than asked for.

    With others, a conversation in which the main speaker's share misses the style's range is held again.
    """
    style = style or ConversationStyle()
    for _ in range(_ATTEMPTS):
        table = _RoundTable(main, others, speak, duration_seconds, stream, style)
        conversation = table.run()
        share = speech_share(conversation.turns, main)
        if not others or style.accepted_share[0] <= share <= style.accepted_share[1]:
            break
    return conversation


def speech_share(turns: Sequence[SpeakerTurn], speaker: str) -> float:
    """Share of all speaking time that is this speaker's (overlap counts for each)."""
    total = sum(turn.duration_seconds for turn in turns)
    return sum(turn.duration_seconds for turn in turns if turn.speaker == speaker) / max(total, 1e-9)


def overlap_share(turns: Sequence[SpeakerTurn]) -> float:
    """Share of the time with speech during which at least two people speak."""
    events = sorted([(turn.start_seconds, 1) for turn in turns] + [(turn.end_seconds, -1) for turn in turns])
    speaking = overlapping = last = 0.0
    active = 0
    for time, change in events:
        speaking += (time - last) * (active >= 1)
        overlapping += (time - last) * (active >= 2)
        active, last = active + change, time
    return overlapping / max(speaking, 1e-9)


class _RoundTable:
    """One conversation in the making."""

    def __init__(
        self,
        main: str,
        others: Sequence[str],
        speak: Speak,
        duration_seconds: float,
        stream: np.random.Generator,
        style: ConversationStyle,
    ) -> None:
        self._main, self._others, self._speak = main, list(others), speak
        self._stream, self._style = stream, style
        self._end_seconds = duration_seconds - _SILENT_END_SECONDS
        length = round(duration_seconds * SAMPLE_RATE_HZ)
        people = [main, *others]
        self._stems = {person: np.zeros(length, np.float32) for person in people}
        self._level_db = {person: 0.0 if person == main else stream.uniform(-8, 0) for person in people}
        self._turns: list[SpeakerTurn] = []
        self._free_from = dict.fromkeys(people, 0.0)

    def run(self) -> Conversation:
        """Turns follow each other until the time is over."""
        style, stream = self._style, self._stream
        wanted_share = stream.uniform(*style.main_share)
        now, last = float(stream.uniform(0, 0.4)), None
        while now < self._end_seconds - 1.2:
            person = self._next_speaker(wanted_share)
            lengths = style.main_turn_seconds if person == self._main else style.other_turn_seconds
            start = now + stream.uniform(*style.pause_seconds)
            if last not in (None, person) and stream.random() < style.overlap_probability:
                start = max(now - stream.uniform(0.3, 1.1), self._free_from[person] + 0.1)
            end = self._say(person, start, float(stream.uniform(*lengths)))
            if person == self._main and self._others and end - start > 2.2:
                self._interject(start, end)
            now, last = max(now, end), person
        return Conversation(stems=self._stems, turns=sorted(self._turns))

    def _next_speaker(self, wanted_share: float) -> str:
        if not self._others or not self._turns or speech_share(self._turns, self._main) < wanted_share:
            return self._main
        return self._others[self._stream.integers(len(self._others))]

    def _interject(self, start: float, end: float) -> None:
        if self._stream.random() >= self._style.interjection_probability:
            return
        length = float(self._stream.uniform(*self._style.interjection_seconds))
        person = self._others[self._stream.integers(len(self._others))]
        moment = float(self._stream.uniform(start + 0.5, end - length))
        if moment > self._free_from[person] + 0.1:
            self._say(person, moment, length)

    def _say(self, person: str, start: float, longest_seconds: float) -> float:
        """Put a sentence of `person` at `start`; returns when it ends."""
        room_seconds = min(longest_seconds, self._end_seconds - start)
        if room_seconds < _SHORTEST_UTTERANCE_SECONDS:
            return self._end_seconds
        first = int(start * SAMPLE_RATE_HZ)
        spoken = trim_silence(self._speak(person, room_seconds))[: int(room_seconds * SAMPLE_RATE_HZ)]
        loudness = np.sqrt(np.mean(np.square(spoken, dtype=np.float64))) + 1e-9
        gain = _SPEECH_RMS / loudness * 10 ** (self._level_db[person] / 20)
        spoken = (spoken * gain).astype(np.float32)
        fade = min(_FADE_SAMPLES, len(spoken))
        spoken[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        self._stems[person][first : first + len(spoken)] += spoken
        offset = first / SAMPLE_RATE_HZ
        self._turns += [
            SpeakerTurn(offset + begin, offset + finish, person) for begin, finish in find_speech(spoken)
        ]
        self._free_from[person] = offset + len(spoken) / SAMPLE_RATE_HZ
        return self._free_from[person]
