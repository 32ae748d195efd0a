"""What may be done to scores beyond the model's own, measured on the lists of a generated world, and fusion of systems.

    python -m benchmarks.treatments DATASET FEATURES TRUTH --system CAFNET_English CAFNET_Urdu \\
        [--system FOP_English FOP_Urdu …] [--out FILE]

The figures are those of generated people and say nothing about MAV-Celeb. Nothing is chosen by them: every treatment has its
default settings. Calibration is measured as well: Cllr of each checkpoint's own calibration on both test lists.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results_file import write_results
from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.trials import read_trials
from src.artifacts.truths import read_truth
from src.core.command_line import run_command
from src.core.device import choose_device
from src.metrics.member_calibration import calibration_quality
from src.metrics.verification import equal_error_rate
from src.scoring.checkpoint_calibration import load_calibration
from src.scoring.fusing import Fuse, fit_on_checkpoints, fuse_ranks
from src.scoring.treated_scoring import load_scorer, record_of
from src.scoring.treatment import Treatment
from src.scoring.trial_scoring import FeatureStores

TREATMENTS = {
    "plain": Treatment(),
    "average_tokens": Treatment(average_tokens=True),
    "z": Treatment(normalisation="z"),
    "t": Treatment(normalisation="t"),
    "s": Treatment(normalisation="s"),
    "adaptive": Treatment(normalisation="adaptive"),
    "transductive": Treatment(transductive=True),
    "transductive_s": Treatment(transductive=True, normalisation="s"),
}
Scores = dict[str, np.ndarray]
"""Scores of the trials of a list, in list order, by the list's language."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; write what was measured where asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("dataset", "features", "truth"):
        parser.add_argument(name, type=Path)
    parser.add_argument(
        "--system", type=Path, nargs="+", action="append", required=True, metavar="CHECKPOINT"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    stores = FeatureStores.open(options.features)
    languages = sorted({load_checkpoint(folder).config["language"] for folder in options.system[0]})
    labels = {
        language: read_truth(options.truth / f"{language}_test.csv")["label"].to_numpy()
        for language in languages
    }
    measured: dict[str, Any] = {"world": "generated: says nothing about MAV-Celeb", "systems": []}
    plain: list[dict[str, Scores]] = []
    for folders in options.system:
        found, scores = _system(options.dataset, stores, folders, labels)
        measured["systems"].append(found)
        plain.append(scores)
    if len(options.system) > 1:
        measured["fusion"] = _fusion(options.system, plain, labels)
    for method, error in measured.get("fusion", {}).items():
        print(f"fusion by {method}: EER {100 * error:.2f} %")
    if options.out:
        write_results(options.out, measured)
    return 0


def _system(
    dataset: Path, stores: FeatureStores, folders: Sequence[Path], labels: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, Scores]]:
    """Mean error over training and test languages of each treatment, and calibration; and the plain scores."""
    model = load_checkpoint(folders[0]).config["model"]["name"]
    found: dict[str, Any] = {"model": model, "eer": {}, "calibration": [], "clusters": []}
    plain: dict[str, Scores] = {}
    for name, treatment in TREATMENTS.items():
        errors = []
        for folder in folders:
            scorer = load_scorer(folder, stores, choose_device("cpu"), treatment)
            trained_on = load_checkpoint(folder).config["language"]
            for language, label in labels.items():
                trials = read_trials(dataset / f"{language}_test.txt")
                score = np.array(list(scorer.score(trials, language, "median").scores.values()))
                errors.append(equal_error_rate(score, label))
                if name == "plain":
                    plain.setdefault(trained_on, {})[language] = score
                    found["calibration"].append(_calibration(folder, trained_on, language, score, label))
            if name == "transductive":
                found["clusters"].append((record_of(scorer, treatment) or {}).get("clusters"))
        found["eer"][name] = float(np.mean(errors))
        print(f"{model}, {name}: EER {100 * found['eer'][name]:.2f} %")
    return found, plain


def _calibration(
    folder: Path, trained_on: str, language: str, score: np.ndarray, label: np.ndarray
) -> dict[str, Any]:
    ratios = load_calibration(folder).log_likelihood_ratios(score)
    quality = calibration_quality(ratios, label)
    return {
        "trained_on": trained_on,
        "tested_on": language,
        "cllr": quality.cllr,
        "minimum_cllr": quality.minimum_cllr,
        "expected_calibration_error": quality.reliability.expected_calibration_error,
    }


def _fusion(
    systems: Sequence[Sequence[Path]], plain: Sequence[Mapping[str, Scores]], labels: Mapping[str, np.ndarray]
) -> dict[str, float]:
    errors: dict[str, list[float]] = {"rank": [], "logistic": []}
    for place, folder in enumerate(systems[0]):
        trained_on = load_checkpoint(folder).config["language"]
        fuses: dict[str, Fuse] = {
            "rank": fuse_ranks,
            "logistic": fit_on_checkpoints([folders[place] for folders in systems]),
        }
        for language, label in labels.items():
            table = np.stack([scores[trained_on][language] for scores in plain], axis=1)
            for method, fuse in fuses.items():
                errors[method].append(equal_error_rate(fuse(table), label))
    return {method: float(np.mean(values)) for method, values in errors.items()}


if __name__ == "__main__":
    sys.exit(run_command(main))
