"""`inference.py submit`: make a challenge submission of two models."""

import argparse
import logging
from pathlib import Path
from typing import get_args

from src.core.command_line import EXIT_DONE
from src.core.device import choose_device
from src.scoring.challenges import CHALLENGES, FileNames
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_challenge_argument,
    add_checkpoints_argument,
    add_lists_arguments,
    add_scoring_arguments,
    add_treatment_arguments,
    by_language,
    treatment_of,
)
from src.scoring.score_commands import submit

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_lists_arguments(parser, required=True)
    add_scoring_arguments(parser)
    add_treatment_arguments(parser)
    add_checkpoints_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="ZIP", help="the submission to write")
    add_challenge_argument(parser)
    parser.add_argument(
        "--file-names",
        choices=get_args(FileNames),
        help="plain: sub_score_English_heard.txt; versioned: sub_score_v3_English_heard.txt, as the baseline's script "
        "names them (default: the challenge's own, plain but for flag2027)",
    )


def _run(options: argparse.Namespace) -> int:
    scored = submit(
        lists=options.lists or options.dataset,
        features=options.features,
        checkpoints=by_language(options.checkpoint),
        out=options.out,
        device=choose_device(options.device),
        challenge=CHALLENGES.get(options.challenge),
        file_names=options.file_names,
        unscorable=options.unscorable,
        treatment=treatment_of(options),
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
  python inference.py submit --challenge fame2026 --dataset MAV-Celeb_v3 --features WORK/features \\
      --checkpoint English=checkpoints/English --checkpoint German=checkpoints/German --out submission.zip
  python inference.py submit --challenge flag2027 --dataset MAV-Celeb_v4 --features WORK/features \\
      --checkpoint English=checkpoints/English --checkpoint Bangla=checkpoints/Bangla --out submission.zip

The zip holds sub_score_English_heard.txt and sub_score_Urdu_unheard.txt, from the model trained on English, and
sub_score_Urdu_heard.txt and sub_score_English_unheard.txt, from the one trained on Urdu. It is checked against the
lists, and not written when the challenge's scorer would reject it. flag2027 has the folders no_gender/ and gender/, whose
lists are looked for in folders of these names (no_gender: also beside them).""",
    add_arguments=_add_arguments,
    run=_run,
)
