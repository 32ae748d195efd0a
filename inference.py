"""From trained models and embeddings to scores, submissions, measures and a report.

Run `python inference.py COMMAND --help` for what a command takes, with examples.
"""

import argparse
import sys
from collections.abc import Sequence

from src.core.command_line import run_command
from src.core.determinism import compute_deterministically
from src.scoring.commands import (
    calibrate,
    check,
    evaluate,
    fuse,
    make_lists,
    match,
    pair,
    report,
    retrieve,
    score,
    submit,
)

COMMANDS = (
    score.COMMAND,
    submit.COMMAND,
    check.COMMAND,
    evaluate.COMMAND,
    match.COMMAND,
    retrieve.COMMAND,
    make_lists.COMMAND,
    report.COMMAND,
    pair.COMMAND,
    calibrate.COMMAND,
    fuse.COMMAND,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and carry the command out; returns the exit status."""
    parser = argparse.ArgumentParser(prog="inference.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    options = parser.parse_args(arguments)
    if getattr(options, "deterministic", False):  # commands that compute nothing have no such option
        compute_deterministically()
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(run_command(main))
