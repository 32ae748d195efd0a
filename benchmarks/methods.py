"""Every association method on the generated large world: mean and standard deviation of its equal error rate over seeds.

    python -m benchmarks.methods WORLD WORK RUNS [--configs CONFIG …] [--seeds 5] [--out FILE]

It is `train.py sweep` over all recipes, trained on each language and scored on both test lists: heard and unheard language,
all pairs and pairs of one sex, beside a guess by sex alone and the Bayes limit. Stopped and started again, it goes on with the
runs that are missing. The figures say nothing about real people.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.results_file import write_results
from src.core.command_line import run_command
from src.core.files import read_json
from src.experiments.sweep import SweepRequest, run_sweep
from src.experiments.sweep_table import printed

BEST, BAYES_LIMIT, RATE = "best", "Bayes limit", "test_eer_mean"
RECIPES = (
    "best",
    "cafnet",
    "cafnet-published",
    "fop",
    "fop-linear",
    "paeff",
    "paeff-hyperbolic",
    "aasm",
    "mfv",
    "linear-cca",
    "shared-space",
    "infonce",
    "infonce-cca",
)


def goals(table: pd.DataFrame) -> dict[str, Any]:
    """How `best` stands against the others and against the Bayes limit, error rates from 0 to 1.

    table: as `method_table` and `references` give it, `best`, another method and the limit among its rows.
    """
    rates = dict(zip(table["method"], table[RATE].astype(float), strict=True))
    deviations = dict(zip(table["method"], table["test_eer_std"].astype(float), strict=True))
    runner_up = min(set(table.loc[table["seeds"].notna(), "method"]) - {BEST}, key=rates.__getitem__)
    return {
        "best_over_bayes_limit": rates[BEST] / rates[BAYES_LIMIT],
        "second": runner_up,
        "ahead_of_second": rates[runner_up] - rates[BEST],
        "standard_deviation_of_second": deviations[runner_up],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.methods", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("world", type=Path, help="what python -m demo made")
    parser.add_argument("work", type=Path, help="the work folder with features")
    parser.add_argument("runs", type=Path, help="folder of all runs")
    parser.add_argument(
        "--configs", type=Path, nargs="+", default=[Path(f"configs/{name}.yaml") for name in RECIPES]
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    options = parser.parse_args(arguments)
    dataset = options.world / "dataset"
    world = read_json(dataset / "GENERATED_WORLD.json")
    runs, table = run_sweep(
        SweepRequest(
            configs=options.configs,
            features=options.work / "features",
            languages=world["languages"],
            seeds=options.seeds,
            out=options.runs,
            lists=dataset,
            truth=options.world / "truth",
            unscorable="median",
        )
    )
    print(printed(table))
    figures = {
        "what": "EER on a generated world; it says nothing about real people",
        "world": {name: world[name] for name in ("size", "seed", "counts")},
        "table": table.to_dict("records"),
        "runs": runs.to_dict("records"),
    }
    if BEST in set(table["method"]) and BAYES_LIMIT in set(table["method"]):
        figures["goals"] = goals(table)
        print(figures["goals"])
    if options.out:
        write_results(options.out, figures)
    return 0 if (runs["status"] == "done").all() else 1


if __name__ == "__main__":
    sys.exit(run_command(main))
