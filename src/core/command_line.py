"""What every command line shares: error messages, exit statuses, logging, and quiet libraries.

Exit statuses: 0 all is well; 1 the work was done but too much of it failed (`--max-failures`);
2 the command cannot be carried out as given (the message says how to mend it); 130 interrupted.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from src.core.determinism import add_deterministic_argument
from src.core.errors import VoxfaceError
from src.core.stage import StageSummary

EXIT_DONE, EXIT_FAILURES, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130


def run_command(
    command: Callable[[Sequence[str] | None], int], arguments: Sequence[str] | None = None
) -> int:
    """Call `command` and turn users' errors into a message on standard error and an exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")  # nothing phones home
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for chatty in ("speechbrain", "matplotlib", "urllib3", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        return command(arguments)
    except VoxfaceError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_UNUSABLE
    except KeyboardInterrupt as interruption:
        progress = f" ({interruption})" if str(interruption) else ""
        sys.stderr.write(f"interrupted{progress}; run the same command again to go on where it stopped\n")
        return EXIT_INTERRUPTED


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that mean the same in every stage."""
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N", help="worker processes (default: one a core)"
    )
    add_deterministic_argument(parser)


def add_failure_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--max-failures`."""
    parser.add_argument(
        "--max-failures",
        type=share,
        default=0.10,
        metavar="SHARE",
        help="exit with status 1 when more than this share of the files failed (default: %(default)s)",
    )


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def report_summaries(summaries: Sequence[StageSummary], max_failures: float) -> int:
    """Print the closing line of each stage; the exit status says whether too much failed."""
    status = EXIT_DONE
    for summary in summaries:
        sys.stderr.write(summary.line() + "\n")
        if summary.failure_share > max_failures:
            sys.stderr.write(
                f"{summary.name}: {summary.failure_share:.1%} failed, more than --max-failures {max_failures:.0%}; "
                "the manifest's `reason` column says why, file by file\n"
            )
            status = EXIT_FAILURES
    return status
