"""How much of the kept speech is the main speaker's, how much of theirs is kept, and the diarization error.

    python -m benchmarks.keynote WORK TRUTH [--split test] [--out FILE]

WORK is a work folder whose voices are preprocessed, TRUTH a folder with `rttm/<key>.rttm` (suffix of the key
replaced) and, where the main speaker is not simply who talks most, `media_identities.csv`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.keynote_measures import measure
from benchmarks.results_file import write_results
from src.core.command_line import run_command

TARGETS = {"purity": 0.95, "recall": 0.80}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keynote", description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--split", choices=["train", "test"], help="only these recordings")
    parser.add_argument("--out", type=Path, help="JSON file (default: WORK/voice/keynote.json)")
    options = parser.parse_args(arguments)
    figures = {**measure(options.work, options.truth, options.split), "targets": TARGETS}
    write_results(options.out or options.work / "voice/keynote.json", figures)
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
