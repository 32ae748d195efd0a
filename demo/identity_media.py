"""All voices and photographs of one identity: the unit of work, done in a process of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from demo.face_description import describe_face
from demo.head import Head
from demo.identity_model import LatentIdentity
from demo.photograph import Sitter, pose_alone, pose_with_bystander, take_photograph
from demo.sentences import compose_sentence
from demo.speech_synthesis import SpeechSynthesizer
from demo.voice_description import VoiceDescription, describe_voice, vary_by_session
from src.artifacts.turns import SpeakerTurn, write_turns
from src.core.seeding import random_stream
from src.media.audio import write_audio
from src.media.image import write_jpeg
from src.simulation.recording import RecordingSetting, draw_setting, record_conversation

_BYSTANDER_SHARE = 0.15
_MOST_INTERVIEWERS = 2


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody by name and nature."""

    name: str
    nature: LatentIdentity


@dataclass(frozen=True, kw_only=True)
class VideoPlan:
    """One video of a person: which files it gives. Keys are paths relative to the data set."""

    language: str
    name: str
    voice_keys: tuple[str, ...]
    face_keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MediaTask:
    """What one process makes.

    companions: who interviews this person and talks in the background; the first one also stands by
    in photographs.
    """

    dataset: Path
    truth: Path
    seed: int
    person: Person
    companions: tuple[Person, ...]
    videos: tuple[VideoPlan, ...]
    clip_seconds: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class FaceTruth:
    """A face in a photograph: whose it is, and its box in pixels."""

    key: str
    face_index: int
    role: Literal["main", "bystander"]
    identity: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class MediaResult:
    """What came out: truth of the photographs, and how much sound there is."""

    faces: tuple[FaceTruth, ...]
    voice_seconds: float


def make_media(task: MediaTask) -> MediaResult:
    """Write all files of a person with their truths."""
    cv2.setNumThreads(1)
    photographer = _Photographer(task)
    faces = tuple(face for video in task.videos for face in photographer.take(video))
    languages = sorted({video.language for video in task.videos})
    with SpeechSynthesizer(languages) as synthesizer:
        seconds = sum(_record_video(task, video, synthesizer) for video in task.videos)
    return MediaResult(faces=faces, voice_seconds=seconds)


def head_of(person: Person, seed: int) -> Head:
    """The head of a person; the same one wherever the person appears in the world of a seed."""
    return Head(describe_face(person.nature, random_stream("demo", seed, "face", person.name)))


class _VideoVoices:
    """The people of one video, as they sound that day."""

    def __init__(self, task: MediaTask, video: VideoPlan, synthesizer: SpeechSynthesizer) -> None:
        self._stream = random_stream("demo", task.seed, "speech", task.person.name, video.name)
        self._language, self._synthesizer = video.language, synthesizer
        self._voices: dict[str, VoiceDescription] = {
            person.name: vary_by_session(describe_voice(person.nature), self._stream)
            for person in (task.person, *task.companions)
        }
        self._companions = [person.name for person in task.companions]

    def speak(self, name: str, seconds: float) -> np.ndarray:
        """A new sentence, dry."""
        sentence = compose_sentence(self._language, self._stream, seconds)
        seed = int(self._stream.integers(2**31))
        return self._synthesizer.say(sentence, self._voices[name], self._language, seed)

    def background_talk(self) -> list[np.ndarray]:
        """A sentence of everybody but the main speaker."""
        return [self.speak(name, 5.0) for name in self._companions]


def _record_video(task: MediaTask, video: VideoPlan, synthesizer: SpeechSynthesizer) -> float:
    """Record the video's voice files; returns their length in seconds."""
    stream = random_stream("demo", task.seed, "recording", task.person.name, video.name)
    voices = _VideoVoices(task, video, synthesizer)
    setting: RecordingSetting = draw_setting(stream)
    names = [person.name for person in task.companions]
    total_seconds = 0.0
    for key in video.voice_keys:
        count = min(int(stream.integers(_MOST_INTERVIEWERS + 1)), len(names))
        others = [str(name) for name in stream.choice(names, count, replace=False)]
        seconds = float(stream.uniform(*task.clip_seconds))
        recording = record_conversation(
            setting, task.person.name, others, voices.speak, voices.background_talk, seconds, stream
        )
        write_audio(task.dataset / key, recording.samples)
        _write_turn_truth(task, key, recording.turns)
        total_seconds += seconds
    return total_seconds


def _write_turn_truth(task: MediaTask, key: str, turns: list[SpeakerTurn]) -> None:
    write_turns((task.truth / "rttm" / key).with_suffix(".rttm"), key, turns)


class _Photographer:
    """Takes the photographs of one person; heads are made when they are first needed."""

    def __init__(self, task: MediaTask) -> None:
        self._task = task
        self._heads: dict[str, Head] = {}

    def take(self, video: VideoPlan) -> list[FaceTruth]:
        """Write the video's photographs; returns the truth about every face in them."""
        stream = random_stream("demo", self._task.seed, "photographs", self._task.person.name, video.name)
        faces = []
        for key in video.face_keys:
            people, sitters = self._arrange(stream)
            pixels = take_photograph(sitters[::-1], stream)
            write_jpeg(self._task.dataset / key, pixels, quality=90)
            faces += [
                _face_truth(key, index, *pair) for index, pair in enumerate(zip(people, sitters, strict=True))
            ]
        return faces

    def _arrange(self, stream: np.random.Generator) -> tuple[list[Person], list[Sitter]]:
        main = self._task.person
        if self._task.companions and stream.random() < _BYSTANDER_SHARE:
            other = self._task.companions[0]
            sitters = pose_with_bystander(self._head(main), self._head(other), stream)
            return [main, other], list(sitters)
        return [main], [pose_alone(self._head(main), stream)]

    def _head(self, person: Person) -> Head:
        if person.name not in self._heads:
            self._heads[person.name] = head_of(person, self._task.seed)
        return self._heads[person.name]


def _face_truth(key: str, index: int, person: Person, sitter: Sitter) -> FaceTruth:
    left, top, right, bottom = sitter.box
    return FaceTruth(
        key=key,
        face_index=index,
        role="bystander" if index else "main",
        identity=person.name,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
    )
