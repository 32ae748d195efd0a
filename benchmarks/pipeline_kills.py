"""Kill the real commands, from the generated world to the submission, and compare each with an undisturbed run."""

import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.kills import command, differing, files_of, kill_until, run_undisturbed

_LANGUAGES = ("English", "Urdu")
_TRAINING = ("--set", "steps=60", "--set", "validation.every_steps=10", "--set", "model.members=1")


@dataclass(frozen=True)
class _Step:
    """A command. made: what it makes, below the run's folder. ignored: files of it that tell times."""

    kills: int
    words: list[str]
    made: str
    ignored: tuple[str, ...] = ()


def kill_the_pipeline(folder: Path, chance: random.Random) -> dict[str, Any]:
    """Kill counts of each command on a tiny world."""
    whole, killed = folder / "whole", folder / "killed"
    world = folder / "world"
    run_undisturbed(command("-m", "demo", world, "--size", "tiny"))
    seconds = {name: run_undisturbed(step.words) for name, step in _steps(whole, world).items()}
    figures: dict[str, Any] = {}
    for name, step in _steps(killed, world).items():
        made, expected = killed / step.made, files_of(whole / step.made, step.ignored)
        count = kill_until(
            step.words,
            step.kills,
            seconds[name],
            chance,
            partial(_differences, made, step.ignored, expected),
            partial(shutil.rmtree, made, ignore_errors=True),
            shortest_seconds=seconds[name] / 4,
        )
        figures[name] = asdict(count)
    figures["kills"] = sum(figures[name]["kills"] for name in figures)
    return figures


def _differences(made: Path, ignored: Sequence[str], expected: Mapping[str, bytes]) -> list[str]:
    return differing(files_of(made, ignored), expected)


def _steps(run: Path, world: Path) -> Mapping[str, _Step]:
    dataset, work, heads = world / "dataset", run / "work", run / "heads"
    preprocess = ("-m", "preprocessing", dataset, "--out", work)
    train = ("train.py", "configs/cafnet.yaml", "--features", work / "features", *_TRAINING)
    heads_of = [
        word for language in _LANGUAGES for word in ("--checkpoint", f"{language}={heads / language}")
    ]
    submit = ("inference.py", "submit", "--dataset", dataset, "--features", work / "features", *heads_of)
    times = ("metrics.json", "config.json")
    return {
        "generated world": _Step(
            4,
            command("-m", "demo", run / "small", "--size", "tiny", "--identities", 2, "--test-identities", 2),
            "small",
        ),
        "scan and voices": _Step(10, command(*preprocess, "--modality", "voice", "--workers", 1), "work"),
        "scan and faces": _Step(10, command(*preprocess, "--modality", "face", "--workers", 1), "work/face"),
        "features": _Step(10, command("-m", "features", work, "--workers", 1), "work/features"),
        **{
            f"training, {language}": _Step(
                4,
                command(*train, "--language", language, "--out", heads / language, "--resume"),
                f"heads/{language}",
                times,
            )
            for language in _LANGUAGES
        },
        "submission": _Step(
            4, command(*submit, "--unscorable", "median", "--out", run / "sent" / "submission.zip"), "sent"
        ),
    }
