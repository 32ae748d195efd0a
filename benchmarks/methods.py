"""Every association method on the generated large world: mean and standard deviation of its equal error rate over seeds.

    python -m benchmarks.methods WORLD WORK RUNS [--configs CONFIG …] [--seeds 5] [--out FILE]

It is `train.py sweep` over all recipes, trained on each language and scored on both test lists: heard and unheard language,
all pairs and pairs of one sex, beside a guess by sex alone and the Bayes limit. Every method is one network, whatever its
recipe says, so that none is ahead by averaging; recipes of several networks have a second row as they are. Stopped and started
again, it goes on with the runs that are missing. The figures say nothing about real people.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.results_file import write_results
from src.core.command_line import run_command
from src.core.config import load_config
from src.core.files import read_json
from src.experiments.sweep import SweepRequest, run_sweep
from src.experiments.sweep_table import printed
from src.training.association_config import AssociationConfig

BEST, BAYES_LIMIT = "best", "Bayes limit"
RATES = TEST, VALIDATION = "test_eer", "validation_eer"
AS_IT_IS = ", as its recipe is"
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


def goals(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """How each row of `best` stands against all rows of others and against the Bayes limit, error rates from 0 to 1.

    table: as `method_table` and `references` give it, `best`, another method and the limit among its rows. Validation people are
    many more than test people; they are compared too.
    """
    rates = {
        rate: dict(zip(table["method"], table[f"{rate}_mean"].astype(float), strict=True)) for rate in RATES
    }
    spreads = {
        rate: dict(zip(table["method"], table[f"{rate}_std"].astype(float), strict=True)) for rate in RATES
    }
    methods = list(table.loc[table["seeds"].notna(), "method"])
    others = [name for name in methods if not name.startswith(BEST)]
    second = {rate: min(others, key=rates[rate].__getitem__) for rate in RATES}
    return {
        name: {
            "over_bayes_limit": rates[TEST][name] / rates[TEST][BAYES_LIMIT],
            **{
                rate: {
                    "second": second[rate],
                    "ahead_of_second": rates[rate][second[rate]] - rates[rate][name],
                    "standard_deviation_of_second": spreads[rate][second[rate]],
                }
                for rate in RATES
            },
        }
        for name in methods
        if name.startswith(BEST)
    }


def measure_methods(
    world: Path, work: Path, out: Path, configs: Sequence[Path], seeds: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of all runs, and the table: one network of each recipe, then recipes of several networks as they are."""
    dataset = world / "dataset"
    request = SweepRequest(
        configs=configs,
        features=work / "features",
        languages=read_json(dataset / "GENERATED_WORLD.json")["languages"],
        seeds=seeds,
        out=out / "one_network",
        lists=dataset,
        truth=world / "truth",
        overrides=("model.members=1",),
        unscorable="median",
    )
    runs, table = run_sweep(request)
    several = [path for path in configs if load_config(AssociationConfig, path).model.get("members", 1) > 1]
    if several:
        parts = run_sweep(replace(request, configs=several, out=out / "as_they_are", overrides=()))
        of_methods = [part[part["method"].isin({path.stem for path in several})] for part in parts]
        named = [part.assign(method=part["method"] + AS_IT_IS) for part in of_methods]
        runs, table = (
            pd.concat([part, more], ignore_index=True)
            for part, more in zip((runs, table), named, strict=True)
        )
    return runs, table


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
    world = read_json(options.world / "dataset/GENERATED_WORLD.json")
    runs, table = measure_methods(options.world, options.work, options.runs, options.configs, options.seeds)
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
