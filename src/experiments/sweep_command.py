"""`train.py sweep`: the command line of a sweep."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from src.core.command_line import EXIT_DONE, EXIT_FAILURES
from src.core.determinism import add_deterministic_argument, compute_deterministically
from src.core.output_lock import locked_output
from src.experiments.sweep import RUNS_FILE, SweepRequest, run_sweep
from src.experiments.sweep_table import TABLE_FILE, printed

EXAMPLES = """\
examples:
  python train.py sweep configs/fop.yaml configs/cafnet.yaml --seeds 5 --features WORK/features \\
      --language English --language Urdu --out RUNS
  the same, with the error on the test lists beside that on validation people:
  python train.py sweep configs/fop.yaml configs/cafnet.yaml --seeds 5 --features WORK/features \\
      --language English --language Urdu --lists DATASET --truth TRUTH --out RUNS

The same command goes on where it was stopped. RUNS/runs.csv has a row a run, RUNS/table.csv a row a method.
"""


def sweep(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, print."""
    options = _parser().parse_args(arguments)
    request = vars(options).copy()
    if request.pop("deterministic"):
        compute_deterministically()
    with locked_output(options.out):
        runs, table = run_sweep(SweepRequest(**request))
    sys.stdout.write(printed(table) + "\n")
    failed = int((runs["status"] != "done").sum())
    sys.stderr.write(
        f"{len(runs) - failed} runs, {failed} failed -> {options.out / RUNS_FILE}, {options.out / TABLE_FILE}\n"
    )
    return EXIT_FAILURES if failed else EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train.py sweep",
        description="Train recipes of heads with several seeds, and tabulate their error rates.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("configs", type=Path, nargs="+", metavar="CONFIG", help="YAML files, see configs/")
    parser.add_argument("--features", type=Path, required=True, metavar="DIR", help="folder of the stores")
    parser.add_argument(
        "--language",
        action="append",
        required=True,
        dest="languages",
        metavar="LANGUAGE",
        help="a training language; may be repeated",
    )
    parser.add_argument("--seeds", type=_positive, default=5, help="number of seeds, from 0 on (default: 5)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUNS", help="folder of all runs")
    parser.add_argument(
        "--lists", type=Path, metavar="DIR", help="the data set, or the folder of its <Language>_test.txt"
    )
    parser.add_argument("--truth", type=Path, metavar="DIR", help="folder of <Language>_test.csv files")
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda")
    add_deterministic_argument(parser)
    parser.add_argument(
        "--unscorable",
        choices=("error", "median"),
        default="error",
        help="what becomes of trials whose media have no embedding (default: an error)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="a setting that wins over that of every recipe; may be repeated",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
