"""Generate a world: raw media and lists in the layout of MAV-Celeb v1, and the truth beside them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demo.completion import CompletionMarker
from demo.fresh_processes import run_in_fresh_processes
from demo.identity_media import MediaResult, MediaTask, make_media
from demo.identity_model import standard_model
from demo.population import Inhabitant, plan_media, populate
from demo.sizes import WorldSettings
from demo.trial_lists import KnownTrial, bayes_limit, draw_trials, pair_training_files
from demo.truth_tables import (
    write_face_truth,
    write_identities,
    write_media_identities,
    write_trial_truth,
)
from src.artifacts.trials import write_training_pairs, write_trials
from src.core.seeding import random_stream

MARKER = "GENERATED_WORLD.json"


def generate_world(folder: Path, settings: WorldSettings, workers: int = 0) -> bool:
    """Write OUT/dataset and OUT/truth; False when they are already there with the same settings.

    Raises DatasetError when `folder` holds another world, or files that are not a generated world's.
    """
    dataset, truth = folder / "dataset", folder / "truth"
    marker = CompletionMarker(path=dataset / MARKER, products=(dataset, truth), settings=settings.as_json())
    if marker.already_there():
        return False
    marker.begin()
    people = populate(settings)
    tasks = plan_media(settings, people, dataset, truth)
    results = run_in_fresh_processes(make_media, tasks, workers, "generating the world")
    splits = {person.identity: str(person.split) for person in people}
    write_identities(truth / "identities.csv", people)
    write_media_identities(truth / "media_identities.csv", tasks, splits)
    write_face_truth(truth / "faces.parquet", (face for result in results for face in result.faces))
    limits = {
        language: _write_lists(dataset, truth, settings, tasks, splits, language)
        for language in settings.languages
    }
    summary = _summary(settings, people, tasks, results) | {"bayes_limit": limits}
    marker.finish(summary)
    return True


def _write_lists(
    dataset: Path,
    truth: Path,
    settings: WorldSettings,
    tasks: Sequence[MediaTask],
    splits: dict[str, str],
    language: str,
) -> dict[str, Any]:
    """Write one language's lists; returns the Bayes limit of its test list."""
    training = [task for task in tasks if splits[task.person.name] == "train"]
    testing = [task for task in tasks if splits[task.person.name] == "test"]
    stream = random_stream("demo", settings.seed, "lists", language)
    write_training_pairs(dataset / f"{language}_train.txt", pair_training_files(training, language, stream))
    trials: list[KnownTrial] = draw_trials(testing, language, settings.size.trials, standard_model(), stream)
    write_trials(dataset / f"{language}_test.txt", [known.trial for known in trials])
    write_trial_truth(truth / f"{language}_test.csv", trials)
    return {"trials": len(trials), **asdict(bayes_limit(trials))}


def _summary(
    settings: WorldSettings,
    people: Sequence[Inhabitant],
    tasks: Sequence[MediaTask],
    results: Sequence[MediaResult],
) -> dict[str, Any]:
    videos = [video for task in tasks for video in task.videos]
    faces = [face for result in results for face in result.faces]
    return {
        "size": settings.size.name,
        "languages": list(settings.languages),
        "seed": settings.seed,
        "counts": {
            "training_identities": sum(person.split == "train" for person in people),
            "test_identities": sum(person.split == "test" for person in people),
            "voice_files": sum(len(video.voice_keys) for video in videos),
            "voice_minutes": round(sum(result.voice_seconds for result in results) / 60, 1),
            "photographs": sum(len(video.face_keys) for video in videos),
            "photographs_with_bystander": sum(face.role == "bystander" for face in faces),
        },
    }
