"""The command `status WORK` of every program that runs stages."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from src.core.command_line import EXIT_DONE
from src.core.run_log import LOGS_FOLDER
from src.core.run_status import stage_statuses

_EXAMPLES = """examples:
  {program} status WORK                 how far each stage is, how fast, and why what failed
  {program} status WORK --json          the same for programs
  watch {program} status WORK           while it runs, here or on another machine that shares WORK
"""


def main(program: str, arguments: Sequence[str]) -> int:
    """Print the status of every stage that has run in a folder; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"{program} status",
        description="Say of each stage that has run in WORK whether it runs, ended or died; what is done, failed and "
        "pending; its rate; the time that remains; and failures by reason.",
        epilog=_EXAMPLES.format(program=program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("work", type=Path, metavar="WORK", help="the work folder, or another --out")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    options = parser.parse_args(arguments)
    statuses = stage_statuses(options.work / LOGS_FOLDER)
    if options.json:
        text = json.dumps([status.mapping() for status in statuses], indent=2, ensure_ascii=False)
    else:
        text = "\n".join(line for status in statuses for line in status.lines())
    sys.stdout.write(text + "\n")
    return EXIT_DONE
