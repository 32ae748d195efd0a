"""The training loop measured: speed beside the published loops' way of feeding, and a whole training of FOP.

    python -m benchmarks.training [--only SECTION …] [--out FILE]

Vectors are random, of the published dimensions: speed does not depend on them.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.embeddings_bounds import matrix_rates
from benchmarks.results_file import ROOT
from benchmarks.sections import measure_sections, report_sections
from benchmarks.training_run import measure_fop_run
from benchmarks.training_speed import measure_cafnet, measure_fop
from benchmarks.training_table import rows_of
from src.core.command_line import run_command

RESULTS = Path("benchmarks/results/training.json")
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainingBenchmark:
    """The measurements, each made when it is asked for. steps: of a round on a processor."""

    steps: int

    def bounds(self) -> dict[str, Any]:
        """The rate of matrix products, which bounds the speeds."""
        rates = {"processor": matrix_rates(_CPU)}
        if torch.cuda.is_available():
            rates["gpu"] = matrix_rates(torch.device("cuda"))
        return rates

    def cafnet(self) -> dict[str, Any]:
        """CAFNet on the processor."""
        return measure_cafnet(_CPU, self.steps)

    def fop(self) -> dict[str, Any]:
        """FOP on the processor."""
        return measure_fop(_CPU, self.steps)

    def cafnet_gpu(self) -> dict[str, Any]:
        """CAFNet on a GPU."""
        return self._on_gpu(measure_cafnet)

    def fop_gpu(self) -> dict[str, Any]:
        """FOP on a GPU."""
        return self._on_gpu(measure_fop)

    def fop_run(self) -> dict[str, Any]:
        """A whole training."""
        return measure_fop_run()

    def _on_gpu(self, measure: Callable[[torch.device, int], dict[str, Any]]) -> dict[str, Any]:
        if not torch.cuda.is_available():
            return {"unavailable": "no GPU"}
        return measure(torch.device("cuda"), 10 * self.steps)


SECTIONS: dict[str, Callable[[TrainingBenchmark], dict[str, Any]]] = {
    "bounds": TrainingBenchmark.bounds,
    "cafnet": TrainingBenchmark.cafnet,
    "fop": TrainingBenchmark.fop,
    "cafnet_gpu": TrainingBenchmark.cafnet_gpu,
    "fop_gpu": TrainingBenchmark.fop_gpu,
    "fop_run": TrainingBenchmark.fop_run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON."""
    options = _parser().parse_args(arguments)
    # The table sets every speed beside its bound, measured in the same run.
    wanted = [name for name in SECTIONS if name in {"bounds", *(options.only or SECTIONS)}]
    figures = measure_sections(SECTIONS, wanted, TrainingBenchmark(options.steps))
    # Part of a run never takes the place of the committed results.
    out = options.out or (ROOT / RESULTS if len(wanted) == len(SECTIONS) else None)
    report_sections(rows_of(figures), figures, out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument("--steps", type=int, default=80, help="of a round (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"JSON file (default for a whole run: {RESULTS})"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
