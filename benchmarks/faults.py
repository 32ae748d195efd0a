"""What the stages survive: random kills, a node of a cluster that stops, millions of rows; and what the ray engine costs.

python -m benchmarks.faults --out benchmarks/results/faults.json                      everything, about half an hour
python -m benchmarks.faults --sections kills cluster --out …                          some; the others' figures stay
"""

import argparse
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.cluster_faults import measure_overhead, stop_a_node
from benchmarks.kills import KillCount, command, differing, files_of, kill_until, run_watched
from benchmarks.large_manifest import measure_manifest
from benchmarks.pipeline_kills import kill_the_pipeline
from benchmarks.results_file import write_results
from src.core.command_line import EXIT_DONE, EXIT_FAILURES, run_command
from src.core.files import read_json
from src.core.provenance import commit

LOGGER = logging.getLogger(__name__)
SEED = 8
_TINY_KILLS = {1: 120, 2: 40}  # by the number of workers
_TINY_RECORDS = 1200


def measure_kills(folder: Path) -> dict[str, Any]:
    """Kill the stage made for it, in this process and with two workers."""
    counts = {
        f"{workers} workers": asdict(
            kill_tiny_stage(folder / str(workers), workers, kills, random.Random(SEED + workers))
        )
        for workers, kills in _TINY_KILLS.items()
    }
    return {**counts, "kills": sum(_TINY_KILLS.values())}


def kill_tiny_stage(folder: Path, workers: int, kills: int, chance: random.Random) -> KillCount:
    """Kill the stage that was made for it at random moments."""
    whole, killed = folder / "whole", folder / "killed"

    def words(out: Path) -> list[str]:
        return command("-m", "benchmarks.fault_stage", out, "--records", _TINY_RECORDS, "--workers", workers)

    def has_output(out: Path) -> bool:
        return any(path.suffix == ".parquet" for path in out.rglob("*"))

    first_seconds, seconds = run_watched(words(whole), lambda: has_output(whole))
    expected = files_of(whole)
    return kill_until(
        words(killed),
        kills,
        seconds,
        chance,
        lambda: differing(files_of(killed), expected),
        lambda: shutil.rmtree(killed, ignore_errors=True),
        shortest_seconds=first_seconds,
        has_output=lambda: has_output(killed),
    )


SECTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "kills": measure_kills,
    "pipeline_kills": kill_the_pipeline,
    "cluster": stop_a_node,
    "overhead": measure_overhead,
    "manifest": measure_manifest,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; status 1 where something was lost or differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--out", type=Path, metavar="JSON")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = read_json(options.out) if options.out and options.out.is_file() else {}
    for name in options.sections:
        LOGGER.info("measuring: %s", name.replace("_", " "))
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = {"commit": commit(), **SECTIONS[name](Path(folder))}
        LOGGER.info("%s: %s", name, figures[name])
        if options.out:
            write_results(options.out, {key: figures[key] for key in SECTIONS if key in figures})
    return EXIT_FAILURES if any(map(_has_differences, figures.values())) else EXIT_DONE


def _has_differences(figures: Any) -> bool:
    if not isinstance(figures, dict):
        return False
    return bool(figures.get("differences") or figures.get("lingering")) or any(
        map(_has_differences, figures.values())
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
