"""A clean corpus of other people, for training the encoders: single voices and cropped faces."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demo.completion import CompletionMarker
from demo.fresh_processes import run_in_fresh_processes
from demo.identity_media import Person, head_of
from demo.identity_model import sample_balanced, standard_model
from demo.photograph import Box, pose_alone, take_photograph
from demo.sentences import compose_sentence
from demo.speech_synthesis import SpeechSynthesizer
from demo.truth_tables import describe_nature, write_csv
from demo.voice_description import describe_voice, vary_by_session
from src.core.errors import ConfigError
from src.core.seeding import random_stream
from src.media.audio import SAMPLE_RATE_HZ, write_audio
from src.media.image import write_jpeg
from src.simulation.speech_activity import trim_silence

CLIPS_PER_IDENTITY, CROPS_PER_IDENTITY = 5, 20
CROP_PIXELS = 160
MARKER = "GENERATED_CORPUS.json"
_CLIP_SECONDS = (3.5, 4.5)
_SPEECH_RMS = 0.08
_MARGIN = (1.2, 1.4)  # side of the crop over the longer side of the face box
_JITTER = 0.03  # of the crop's centre, as a share of its side


@dataclass(frozen=True, kw_only=True)
class CorpusTask:
    """One person of the corpus."""

    folder: Path
    seed: int
    person: Person
    languages: tuple[str, ...]
    first_language: int


def generate_corpus(
    folder: Path, identities: int, seed: int, languages: tuple[str, ...], workers: int = 0
) -> bool:
    """Write OUT/pretraining; False when it is already there with the same settings.

    speakers/<id>/00000.wav …: clean speech of one person, 16 kHz, the languages in turn.
    faces/<id>/00000.jpg …: square crops of CROP_PIXELS around the face, with a margin.
    identities.csv: the true parameters. The people are in no generated world.
    """
    if identities < 2:
        raise ConfigError(f"--pretraining {identities}: at least 2 identities are needed")
    corpus = folder / "pretraining"
    settings = {"seed": seed, "languages": list(languages), "identities": identities}
    marker = CompletionMarker(path=corpus / MARKER, products=(corpus,), settings=settings)
    if marker.already_there():
        return False
    marker.begin()
    stream = random_stream("demo", seed, "pretraining population")
    people = [
        Person(name=f"pre{number:05d}", nature=nature)
        for number, nature in enumerate(sample_balanced(standard_model(), identities, stream), 1)
    ]
    tasks = [
        CorpusTask(
            folder=corpus,
            seed=seed,
            person=person,
            languages=languages,
            first_language=number % len(languages),
        )
        for number, person in enumerate(people)
    ]
    run_in_fresh_processes(make_corpus_media, tasks, workers, "generating the pretraining corpus")
    write_csv(
        corpus / "identities.csv",
        [{"identity": person.name, **describe_nature(person.nature)} for person in people],
    )
    counts = {"voice_files": len(people) * CLIPS_PER_IDENTITY, "crops": len(people) * CROPS_PER_IDENTITY}
    marker.finish({"counts": counts})
    return True


def make_corpus_media(task: CorpusTask) -> None:
    """Write all clips and crops of one person."""
    cv2.setNumThreads(1)
    _speak_clips(task)
    head = head_of(task.person, task.seed)
    stream = random_stream("demo", task.seed, "pretraining faces", task.person.name)
    for number in range(CROPS_PER_IDENTITY):
        sitter = pose_alone(head, stream)
        pixels = take_photograph([sitter], stream, _crop_window(sitter.box, stream))
        shrinks = len(pixels) > CROP_PIXELS
        crop = cv2.resize(
            pixels,
            (CROP_PIXELS, CROP_PIXELS),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        write_jpeg(task.folder / "faces" / task.person.name / f"{number:05d}.jpg", crop, quality=92)


def _speak_clips(task: CorpusTask) -> None:
    stream = random_stream("demo", task.seed, "pretraining speech", task.person.name)
    voice = describe_voice(task.person.nature)
    with SpeechSynthesizer(task.languages) as synthesizer:
        for number in range(CLIPS_PER_IDENTITY):
            language = task.languages[(task.first_language + number) % len(task.languages)]
            session_voice = vary_by_session(voice, stream)
            sentence = compose_sentence(language, stream)
            seed = int(stream.integers(2**31))
            spoken = trim_silence(synthesizer.say(sentence, session_voice, language, seed))
            length = min(len(spoken), int(stream.uniform(*_CLIP_SECONDS) * SAMPLE_RATE_HZ))
            start = int(stream.integers(len(spoken) - length + 1))
            clip = spoken[start : start + length]
            clip = clip * (_SPEECH_RMS / np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
            write_audio(task.folder / "speakers" / task.person.name / f"{number:05d}.wav", clip)


def _crop_window(box: Box, stream: np.random.Generator) -> tuple[int, int, int, int]:
    """A square around a face box with a margin, a little off, in whole pixels."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * stream.uniform(*_MARGIN)
    center_x, center_y = np.array([left + right, top + bottom]) / 2 + stream.normal(0, _JITTER * side, 2)
    first_column, first_row = round(center_x - side / 2), round(center_y - side / 2)
    return first_column, first_row, first_column + round(side), first_row + round(side)
