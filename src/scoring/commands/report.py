"""`inference.py report`: write a page of what was measured."""

import argparse
import logging
from pathlib import Path

from src.core.command_line import EXIT_DONE
from src.metrics.bootstrap import REPLICATES
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_checkpoints_argument,
    add_lists_arguments,
    add_metadata_arguments,
    by_language,
)
from src.scoring.report.page import write_report
from src.scoring.report.sources import ReportSources

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--submission", type=Path, required=True, metavar="ZIP", help="what submit wrote")
    parser.add_argument(
        "--truth", type=Path, required=True, metavar="DIR", help="folder of <Language>_test.csv files"
    )
    add_checkpoints_argument(parser)
    add_lists_arguments(parser, required=False)
    parser.add_argument("--work", type=Path, help="WORK of preprocessing: shows faces and plays voices")
    parser.add_argument(
        "--features",
        type=Path,
        metavar="WORK/features",
        help="embeddings, for matching, map and attention (default: those in --work)",
    )
    add_metadata_arguments(parser)
    parser.add_argument(
        "--replicates",
        type=int,
        default=REPLICATES,
        metavar="N",
        help="bootstrap draws of people for the intervals (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="HTML", help="the page to write")


def _run(options: argparse.Namespace) -> int:
    write_report(
        options.out,
        ReportSources(
            submission=options.submission,
            truth=options.truth,
            checkpoints=by_language(options.checkpoint),
            lists=options.lists or options.dataset,
            work=options.work,
            features=options.features,
            metadata=options.metadata,
            by=tuple(options.by),
            replicates=options.replicates,
        ),
    )
    logger.info("report: %.1f MB -> %s", options.out.stat().st_size / 1e6, options.out)
    return EXIT_DONE


COMMAND = Command(
    name="report",
    summary="write a page of what was measured",
    examples="""  python inference.py report --submission submission.zip --truth truth/ \\
      --checkpoint English=checkpoints/English --checkpoint Urdu=checkpoints/Urdu \\
      --dataset DATASET --work WORK --out report.html
  python inference.py report … --metadata people.csv --by sex nationality age:10

A section that lacks its data says so on the page, and how to get it: faces, voices, matching, the map and attention need
--dataset and --work; calibration needs a checkpoint with its validation scores; intervals over people, and matching, need to
know who is who (media_identities.csv beside the truth).""",
    add_arguments=_add_arguments,
    run=_run,
)
