"""`inference.py submit`: make a challenge submission of two models."""

import argparse
import logging
from pathlib import Path

from src.core.command_line import EXIT_DONE
from src.core.device import choose_device
from src.scoring.cells import DEFAULT_PREFIX
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_checkpoints_argument,
    add_lists_arguments,
    add_scoring_arguments,
    by_language,
)
from src.scoring.score_commands import submit

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_lists_arguments(parser, required=True)
    add_scoring_arguments(parser)
    add_checkpoints_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="ZIP", help="the submission to write")
    parser.add_argument(
        "--prefix",
        default=DEFAULT_PREFIX,
        help="how the files' names begin (default: %(default)s; the baseline's script puts the data set's "
        "version in: sub_score_v1)",
    )


def _run(options: argparse.Namespace) -> int:
    scored = submit(
        lists=options.lists or options.dataset,
        features=options.features,
        checkpoints=by_language(options.checkpoint),
        out=options.out,
        prefix=options.prefix,
        device=choose_device(options.device),
        unscorable=options.unscorable,
    )
    for name, result in scored.items():
        logger.info("submit: %s: %s", name, result.counts())
    logger.info("submit: checked against the lists -> %s", options.out)
    return EXIT_DONE


COMMAND = Command(
    name="submit",
    summary="make a challenge submission of two models",
    examples="""  python inference.py submit --dataset DATASET --features WORK/features \\
      --checkpoint English=checkpoints/English --checkpoint Urdu=checkpoints/Urdu --out submission.zip

The zip holds sub_score_English_heard.txt and sub_score_Urdu_unheard.txt, from the model trained on English, and
sub_score_Urdu_heard.txt and sub_score_English_unheard.txt, from the one trained on Urdu. It is checked against the
lists, and not written when the challenge's scorer would reject it.""",
    add_arguments=_add_arguments,
    run=_run,
)
