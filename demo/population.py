"""Who lives in a generated world, how they are numbered, and which files they get."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from demo.identity_media import MediaTask, Person, VideoPlan
from demo.identity_model import LatentIdentity, sample_balanced, standard_model
from demo.sizes import WorldSettings
from src.core.seeding import random_stream

_COMPANIONS = 5
_OUTSIDERS = 16
_FRAME_STEP, _LAST_FRAME = 25, 12_000
_VIDEO_NAME_LENGTH = 11
_VIDEO_NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, kw_only=True)
class Inhabitant:
    """A person of the world and the names that the data set gives them.

    identity: the world's own name. voice_id, face_id: folder names of training people, else empty.
    split: `outsider` for people who only interview and stand by in test files.
    """

    identity: str
    voice_id: str
    face_id: str
    split: Literal["train", "test", "outsider"]
    nature: LatentIdentity


def populate(settings: WorldSettings) -> list[Inhabitant]:
    """Draw everybody.

    As in MAV-Celeb v1, people are numbered before the test people are taken out: face ids keep these
    gaps, voice ids are renumbered without them.
    """
    model, size, seed = standard_model(), settings.size, settings.seed
    total = size.training_identities + size.test_identities
    stream = random_stream("demo", seed, "population")
    in_test = np.zeros(total, bool)
    in_test[stream.choice(total, size.test_identities, replace=False)] = True
    natures = {
        "train": sample_balanced(model, size.training_identities, stream),
        "test": sample_balanced(model, size.test_identities, stream),
    }
    people: list[Inhabitant] = []
    voice_number = 0
    for number, is_test in enumerate(in_test.tolist(), 1):
        identity = f"id{number:04d}"
        voice_number += not is_test
        people.append(
            Inhabitant(
                identity=identity,
                voice_id="" if is_test else f"id{voice_number:04d}",
                face_id="" if is_test else identity,
                split="test" if is_test else "train",
                nature=natures["test" if is_test else "train"].pop(),
            )
        )
    for number, nature in enumerate(sample_balanced(model, _OUTSIDERS, stream), 1):
        people.append(
            Inhabitant(identity=f"out{number:04d}", voice_id="", face_id="", split="outsider", nature=nature)
        )
    return people


def plan_media(
    settings: WorldSettings, people: list[Inhabitant], dataset: Path, truth: Path
) -> list[MediaTask]:
    """One task for each training and test person, with the names of all their files."""
    plans = _training_videos(settings, people) | _test_videos(settings, people)
    tasks = []
    for person in people:
        if person.split == "outsider":
            continue
        tasks.append(
            MediaTask(
                dataset=dataset,
                truth=truth,
                seed=settings.seed,
                person=Person(name=person.identity, nature=person.nature),
                companions=_companions(settings, person, people),
                videos=plans[person.identity],
                clip_seconds=settings.size.clip_seconds,
            )
        )
    return tasks


def _companions(settings: WorldSettings, person: Inhabitant, people: list[Inhabitant]) -> tuple[Person, ...]:
    """Training people meet each other; test people meet outsiders, so that no test person leaks."""
    wanted = "train" if person.split == "train" else "outsider"
    others = [other for other in people if other.split == wanted and other is not person]
    stream = random_stream("demo", settings.seed, "companions", person.identity)
    chosen = stream.choice(len(others), min(_COMPANIONS, len(others)), replace=False)
    return tuple(Person(name=others[index].identity, nature=others[index].nature) for index in chosen)


def _training_videos(settings: WorldSettings, people: list[Inhabitant]) -> dict[str, tuple[VideoPlan, ...]]:
    size, used, plans = settings.size, set[str](), {}
    for person in people:
        if person.split != "train":
            continue
        stream = random_stream("demo", settings.seed, "videos", person.identity)
        videos = []
        for language in settings.languages:
            for _ in range(size.videos):
                video = _video_name(stream, used)
                voices = f"voices/{person.voice_id}/{language}/{video}"
                faces = f"faces/{person.face_id}/{language}/{video}"
                frames = stream.choice(_LAST_FRAME // _FRAME_STEP, size.photographs_per_video, replace=False)
                videos.append(
                    VideoPlan(
                        language=language,
                        name=video,
                        voice_keys=tuple(f"{voices}/{clip:05d}.wav" for clip in range(size.clips_per_video)),
                        face_keys=tuple(
                            f"{faces}/{frame * _FRAME_STEP:07d}.jpg" for frame in sorted(frames.tolist())
                        ),
                    )
                )
        plans[person.identity] = tuple(videos)
    return plans


def _video_name(stream: np.random.Generator, used: set[str]) -> str:
    while True:
        letters = stream.choice(list(_VIDEO_NAME_CHARACTERS), _VIDEO_NAME_LENGTH)
        name = "".join(letters.tolist())
        if name not in used:
            used.add(name)
            return name


def _test_videos(settings: WorldSettings, people: list[Inhabitant]) -> dict[str, tuple[VideoPlan, ...]]:
    """Test files are numbered at random over all people; each clip and photograph stands for itself."""
    size = settings.size
    names = [person.identity for person in people if person.split == "test"]
    plans: dict[str, list[VideoPlan]] = {name: [] for name in names}
    for language in settings.languages:
        stream = random_stream("demo", settings.seed, "test files", language)
        clips = stream.permutation(np.repeat(names, size.test_clips)).tolist()
        photographs = stream.permutation(np.repeat(names, size.test_photographs)).tolist()
        for number, name in enumerate(clips):
            key = f"voices/{language}/{number:05d}.wav"
            plans[name].append(VideoPlan(language=language, name=key, voice_keys=(key,), face_keys=()))
        for number, name in enumerate(photographs):
            key = f"faces/{language}/{number:05d}.jpg"
            plans[name].append(VideoPlan(language=language, name=key, voice_keys=(), face_keys=(key,)))
    return {name: tuple(videos) for name, videos in plans.items()}
