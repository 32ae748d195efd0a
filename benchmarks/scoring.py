"""How fast and how exact the measures are: against scikit-learn, against Python loops, against published numbers.

    python -m benchmarks.scoring [--trials N] [--pairs N] [--embeddings N] [--golden FILE] [--out FILE]

Figures of many trials come from processes of their own (benchmarks/scoring_curves.py). FILE holds the numbers of the
published implementations (docs/protocols.md); without it that part is left out.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results_file import write_results
from benchmarks.scoring_curves import SIDES
from benchmarks.scoring_pairs import measure_pairs
from benchmarks.threshold_sweep import sweep_accuracies
from src.core.command_line import run_command
from src.core.errors import DatasetError
from src.metrics.average_precision import average_precisions_of_rankings
from src.metrics.k_fold_accuracy import FOLDS, k_fold_accuracy
from src.metrics.verification import equal_error_rate_and_area

TARGETS: dict[str, dict[str, float]] = {
    "curves": {"times_as_fast": 8, "largest_difference": 1e-9, "peak_bytes": 1_000_000_000},
    "ten_folds": {"times_as_fast": 100, "difference": 0.0},
    "golden": {"largest_difference": 1e-9},
    "pairs": {"times_as_fast": 100},
}
SWEEP = np.arange(-1.0, 1.0, 0.005)  # the published grid over cosines


def measure_curves(trials: int) -> dict[str, Any]:
    """EER and AUC of the same random scores on both sides, each in a fresh process."""
    sides: dict[str, dict[str, Any]] = {}
    for side in SIDES:
        command = [sys.executable, "-m", "benchmarks.scoring_curves", side, "--trials", str(trials)]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        sides[side] = json.loads(finished.stdout.splitlines()[-1])
    ours, theirs = (sides[side] for side in SIDES)
    return {
        "trials": trials,
        **sides,
        "times_as_fast": theirs["seconds"] / ours["seconds"],
        "largest_difference": max(abs(ours[rate] - theirs[rate]) for rate in ("equal_error_rate", "area")),
        "peak_bytes": ours["peak_bytes"],
    }


def measure_ten_folds(pairs: int) -> dict[str, Any]:
    """The 10-fold protocol over the published grid, at once and trial by trial."""
    generator = np.random.default_rng(0)
    labels = np.tile([1, 0], pairs // 2)
    scores = np.clip(generator.normal(0.1 - 0.3 * labels, 0.25), -0.99, 0.99)
    k_fold_accuracy(scores, labels, SWEEP)
    seconds, outcome = _timed(lambda: k_fold_accuracy(scores, labels, SWEEP), repetitions=20)
    loop_seconds, accuracies = _timed(
        lambda: sweep_accuracies(scores.tolist(), labels.tolist(), SWEEP.tolist(), FOLDS)
    )
    return {
        "pairs": len(labels),
        "accuracy": outcome.mean,
        "seconds": seconds,
        "loop_seconds": loop_seconds,
        "times_as_fast": loop_seconds / seconds,
        "difference": float(np.abs(outcome.fold_accuracies - accuracies).max()),
    }


def measure_golden(path: Path) -> dict[str, Any]:
    """Differences to the numbers of the challenge's code and of AaSM's."""
    if not path.is_file():
        raise DatasetError(f"{path}: no such file of published numbers; leave --golden out, or name another")
    with np.load(path) as golden:
        rate, area = equal_error_rate_and_area(golden["fame_eer/distance"], golden["fame_eer/same"])
        precisions = average_precisions_of_rankings(golden["average_precision/relevance"])
        differences = {
            "equal_error_rate": abs(rate - float(golden["fame_eer/eer"])),
            "area": abs(area - float(golden["fame_eer/auc"])),
            "average_precision": float(np.abs(precisions - golden["average_precision/ap"]).max()),
        }
    return {**differences, "largest_difference": max(differences.values())}


def _timed(work: Callable[[], Any], repetitions: int = 1) -> tuple[float, Any]:
    """The shortest time in seconds, and what came out."""
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), found


def table_of(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """One line a figure that has a target: what was reached, and whether that is enough."""
    lines = []
    for part, targets in TARGETS.items():
        for name, target in targets.items():
            if part not in figures:
                continue
            value = figures[part][name]
            at_least = name == "times_as_fast"
            reached = value >= target if at_least else value <= target
            lines.append(
                f"{part:10} {name:20} {value:14.6g}   {'at least' if at_least else 'at most'} {target:g}   "
                f"{'reached' if reached else 'MISSED'}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000_000, help="scores of EER and AUC")
    parser.add_argument("--pairs", type=int, default=2000, help="pairs of the 10-fold protocol")
    parser.add_argument("--embeddings", type=int, default=1_000_000, help="embeddings, and trials over them")
    parser.add_argument("--single", type=int, default=2000, help="trials that are timed one at a time")
    parser.add_argument("--golden", type=Path, help="numbers of the published implementations")
    parser.add_argument("--out", type=Path, help="JSON file (default: none is written)")
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, Any]] = {}
    if options.golden:
        figures["golden"] = measure_golden(options.golden)
    figures["curves"] = measure_curves(options.trials)
    figures["ten_folds"] = measure_ten_folds(options.pairs)
    figures["pairs"] = measure_pairs(options.embeddings, options.embeddings, options.single)
    print(table_of(figures))
    if options.out:
        write_results(options.out, {**figures, "targets": TARGETS})
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
