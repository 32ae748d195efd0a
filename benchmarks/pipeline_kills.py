"""Kill the real commands, from the generated world to the submission, and compare what they end with with an undisturbed run."""

import json
import logging
import random
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.kills import command, differing, files_of, kill_until, run_undisturbed, run_watched
from src.core.output_lock import LOCK_FILE
from src.core.run_log import LOGS_FOLDER

LOGGER = logging.getLogger(__name__)
SEED = 9
_LANGUAGES = ("English", "Urdu")
_TRAINING = ("--set", "steps=60", "--set", "validation.every_steps=10", "--set", "model.members=1")
_MEASURES, _DURATION = "metrics.json", "training_seconds"
_EVENTS = "events.out.tfevents"  # TensorBoard's files, which hold the time of every line


@dataclass(frozen=True)
class Step:
    """A command and the folder that it makes, which is removed before it begins anew."""

    kills: int
    words: list[str]
    made: Path

    def files(self) -> dict[str, bytes]:
        """What it made, but what tells times: logs, TensorBoard's events, the seconds of a training."""
        files = {
            name: content
            for name, content in files_of(self.made).items()
            if not Path(name).name.startswith(_EVENTS)
        }
        for name in files:
            if Path(name).name == _MEASURES:
                measures = json.loads(files[name])
                del measures[_DURATION]
                files[name] = json.dumps(measures).encode()
        return files

    def has_output(self) -> bool:
        """Whether there is a file of it, beside its lock and log."""
        return any(
            path.is_file() and path.name != LOCK_FILE and path.parent.name != LOGS_FOLDER
            for path in self.made.rglob("*")
        )

    def begin_anew(self) -> None:
        """Remove what it made."""
        shutil.rmtree(self.made, ignore_errors=True)


def kill_the_pipeline(folder: Path) -> dict[str, Any]:
    """Kill counts of each command on a tiny world.

    The moments are drawn between the first file of an undisturbed run and its end. Every command works in the folder of the
    undisturbed run, since paths are part of what it writes, and leaves there what the next one reads.
    """
    world, run = folder / "world", folder / "run"
    run_undisturbed(command("-m", "demo", world, "--size", "tiny"))
    figures: dict[str, Any] = {}
    for number, (name, step) in enumerate(pipeline_steps(run, world).items()):
        figures[name] = kill_step(step, random.Random(SEED + number))
        LOGGER.info("%s: %s", name, figures[name])
    figures["kills"] = sum(figures[name]["kills"] for name in figures)
    return figures


def kill_step(step: Step, chance: random.Random) -> dict[str, Any]:
    """Run it undisturbed, then kill it again and again."""
    first_seconds, seconds = run_watched(step.words, step.has_output)
    expected = step.files()
    count = kill_until(
        step.words,
        step.kills,
        seconds,
        chance,
        lambda: differing(step.files(), expected),
        step.begin_anew,
        shortest_seconds=first_seconds,
        has_output=step.has_output,
    )
    return {
        "seconds": round(seconds, 1),
        "first_file_seconds": round(first_seconds, 1),
        "files": len(expected),
        **asdict(count),
    }


def pipeline_steps(run: Path, world: Path) -> Mapping[str, Step]:
    """The commands in their order; each needs what those before it made."""
    dataset, work, heads = world / "dataset", run / "work", run / "heads"
    preprocess = ("-m", "preprocessing", dataset, "--out", work, "--workers")
    train = ("train.py", "configs/cafnet.yaml", "--features", work / "features", *_TRAINING)
    heads_of = [
        word for language in _LANGUAGES for word in ("--checkpoint", f"{language}={heads / language}")
    ]
    submit = ("inference.py", "submit", "--dataset", dataset, "--features", work / "features", *heads_of)
    small = ("-m", "demo", run / "small", "--size", "tiny", "--identities", 2, "--test-identities", 2)
    return {
        "generated world": Step(4, command(*small), run / "small"),
        "voices": Step(8, command(*preprocess, 1, "--modality", "voice"), work),
        "faces": Step(8, command(*preprocess, 2, "--modality", "face"), work / "face"),
        "features": Step(8, command("-m", "features", work, "--workers", 1), work / "features"),
        **{
            f"training, {language}": Step(
                4,
                command(*train, "--language", language, "--out", heads / language, "--resume"),
                heads / language,
            )
            for language in _LANGUAGES
        },
        "submission": Step(
            4,
            command(*submit, "--unscorable", "median", "--out", run / "sent" / "submission.zip"),
            run / "sent",
        ),
    }
