"""What each way of cleaning does to the final face-voice equal error rate, on a generated world.

    python -m demo WORLD --size small --seed 7
    python -m benchmarks.cleaning_choice WORLD [--seeds 3] [--out FILE]

For each way the kept speech is cleaned and embedded anew; speakers and faces are found once. Then the recipe of
configs/best.yaml is trained on each language and scored on both, with several seeds, since one training alone differs
from the next by more than some ways of cleaning do. Use a world of another seed than the one that is reported on.
"""

import argparse
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cleaning_variants import CLEANING_VARIANTS
from benchmarks.results_file import ROOT, write_results
from features.__main__ import main as extract
from preprocessing.__main__ import main as preprocess
from preprocessing.conditioning import clean_recording, set_level
from preprocessing.keynote import join_segments
from preprocessing.speech_settings import CleaningSettings, KeynoteSettings
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import MODALITIES
from src.artifacts.trials import Trial, read_trials
from src.artifacts.truths import read_truth
from src.core.command_line import run_command
from src.core.device import choose_device
from src.core.errors import DatasetError
from src.core.files import write_text
from src.core.stage import DONE, read_parts
from src.media.audio import read_audio, write_audio
from src.media.frames import FRAMES_PER_SECOND
from src.metrics.verification import equal_error_rate
from src.scoring.trial_scoring import FeatureStores, TrialScorer
from src.training.association_training import train_association

COMPLETE = "cleaned_again"
RECIPE = ROOT / "configs/best.yaml"
Lists = Mapping[str, tuple[list[Trial], np.ndarray]]
"""Trials and labels, 1 = same person, of each language's test list."""


def measure_variants(
    world: Path, work: Path, variants: Mapping[str, CleaningSettings], seeds: int
) -> dict[str, dict[str, Any]]:
    """Mean equal error rate over the four cells for each way of cleaning, and of each seed.

    work: folder for what is made on the way; what is there already is taken up again.
    """
    dataset = world / "dataset"
    faces = work / "faces"
    preprocess([str(dataset), "--out", str(faces), "--modality", "face"])
    extract([str(faces), "--modality", "face"])
    diarized = work / "diarized"
    preprocess([str(dataset), "--out", str(diarized), "--modality", "voice"])
    found = {}
    for number, (name, settings) in enumerate(variants.items()):
        folder = work / f"voices-{number}"
        clean_again(dataset, diarized, folder, settings)
        extract([str(folder), "--modality", "voice"])
        shutil.copytree(faces / "features/face", folder / "features/face", dirs_exist_ok=True)
        lists = read_lists(dataset, world / "truth", folder / "features")
        rates = [four_cell_error(folder / "features", lists, seed) for seed in range(seeds)]
        found[name] = {"equal_error_rate": float(np.mean(rates)), "of_each_seed": rates}
        print(
            f"{name:40s} {100 * np.mean(rates):5.1f} %  ({', '.join(f'{100 * rate:.1f}' for rate in rates)})",
            flush=True,
        )
    return found


def clean_again(dataset: Path, diarized: Path, out: Path, settings: CleaningSettings) -> None:
    """A copy of the work folder `diarized` whose kept speech is cleaned in another way.

    Who speaks when is found in the recording as it is, so it is the same whatever the cleaning.
    """
    if (out / COMPLETE).is_file():
        return
    shutil.copytree(diarized, out, dirs_exist_ok=True)
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in read_parts(diarized / "voice/segments").to_pylist():
        edges = (row["start_seconds"], row["end_seconds"])
        start, end = (round(edge * FRAMES_PER_SECOND) for edge in edges)
        spans[row["key"]].append((start, end))
    fade_seconds = KeynoteSettings().cross_fade_seconds
    for row in read_parts(diarized / "voice/manifest").to_pylist():
        if row["status"] == DONE:
            cleaned = clean_recording(read_audio(dataset / row["key"]), settings)
            joined, _ = join_segments(cleaned, np.array(spans[row["key"]]), fade_seconds)
            write_audio(out / row["output"], set_level(joined, settings.level_db, settings.peak_db))
    write_text(out / COMPLETE, "")


def read_lists(dataset: Path, truth: Path, features: Path) -> Lists:
    """The test lists with their labels, without trials of media that have no embedding."""
    known = {key for modality in MODALITIES for key in EmbeddingStore.open(features / modality).items.index}
    lists = {}
    for path in sorted(dataset.glob("*_test.txt")):
        language = path.stem.removesuffix("_test")
        trials = [trial for trial in read_trials(path) if trial.voice in known and trial.face in known]
        labels = read_truth(truth / f"{language}_test.csv").loc[[trial.trial_id for trial in trials], "label"]
        lists[language] = (trials, labels.to_numpy())
    return lists


def four_cell_error(features: Path, lists: Lists, seed: int) -> float:
    """Mean equal error rate of the heads of all languages on the lists of all languages."""
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        for language in lists:
            checkpoint = Path(folder) / language
            train_association(RECIPE, (), features=features, language=language, out=checkpoint, seed=seed)
            scorer = TrialScorer.load(checkpoint, FeatureStores.open(features), choose_device())
            for trials, labels in lists.values():
                scores = scorer.score(trials, "cleaning choice").scores
                rates.append(equal_error_rate(np.array([scores[trial.trial_id] for trial in trials]), labels))
    return float(np.mean(rates))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cleaning_choice", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("world", type=Path, metavar="WORLD", help="a generated world")
    parser.add_argument("--work", type=Path, metavar="DIR", help="default: WORLD/cleaning_choice")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each head (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/cleaning_choice.json"))
    options = parser.parse_args(arguments)
    if not (options.world / "truth").is_dir():
        raise DatasetError(
            f"{options.world}: no generated world. Make one: python -m demo {options.world} --size small --seed 7"
        )
    work = options.work or options.world / "cleaning_choice"
    rates = measure_variants(options.world, work, CLEANING_VARIANTS, options.seeds)
    write_results(options.out, {"what": "EER, mean of the four cells, generated world", "rates": rates})
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
