"""EER and AUC of many random scores in this process, by this project or by scikit-learn; one line of JSON.

    python -m benchmarks.scoring_curves {voxface,scikit-learn} --trials N

A process of its own, since the peak of memory is one of the process as a whole. Nothing is imported that the measured
side does not need.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.process_memory import peak_bytes

SIDES = ("voxface", "scikit-learn")
_REPETITIONS = 3
Rates = tuple[float, float]


def random_trials(trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores float32 (trials,), lower = same person, and labels bool (trials,): half of them, EER about 27 %."""
    generator = np.random.default_rng(0)
    labels = generator.random(trials, dtype=np.float32) < 0.5
    scores = generator.standard_normal(trials, dtype=np.float32)
    scores[labels] -= 1.2
    return scores, labels


def measure_side(side: str, trials: int) -> dict[str, Any]:
    """Rates, the shortest of three times in seconds, and the peak of this process's memory in bytes."""
    prepare = {"voxface": _voxface, "scikit-learn": _scikit_learn}[side]
    calculate, finish = prepare()
    scores, labels = random_trials(trials)
    seconds = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        found = calculate(scores, labels)
        seconds.append(time.perf_counter() - start)
    peak = peak_bytes()
    rate, area = finish(found)
    return {"equal_error_rate": rate, "area": area, "seconds": min(seconds), "peak_bytes": peak}


def _voxface() -> tuple[Callable[[np.ndarray, np.ndarray], Any], Callable[[Any], Rates]]:
    from src.metrics.verification import equal_error_rate_and_area

    equal_error_rate_and_area(*random_trials(100_000))  # compiles, or reads what was compiled before
    return equal_error_rate_and_area, lambda rates: rates


def _scikit_learn() -> tuple[Callable[[np.ndarray, np.ndarray], Any], Callable[[Any], Rates]]:
    from scipy.optimize import brentq
    from sklearn.metrics import auc, roc_curve

    def finish(curve: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Rates:
        """The challenge's own way to its EER."""
        false_accepts, true_accepts, _ = curve
        root = brentq(lambda x: 1 - x - np.interp(x, false_accepts, true_accepts), 0.0, 1.0, xtol=1e-14)
        return float(root), float(auc(false_accepts, true_accepts))

    return lambda scores, labels: roc_curve(labels, -scores), finish


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of one side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_curves", description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--trials", type=int, default=10_000_000)
    options = parser.parse_args(arguments)
    print(json.dumps(measure_side(options.side, options.trials)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
