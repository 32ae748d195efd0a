"""`inference.py score`: score every trial of a list."""

import argparse
import logging
from pathlib import Path

from src.core.command_line import EXIT_DONE
from src.core.device import choose_device
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_checkpoint_argument,
    add_scoring_arguments,
    add_treatment_arguments,
    treatment_of,
)
from src.scoring.score_commands import score_list

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_checkpoint_argument(parser)
    add_scoring_arguments(parser)
    add_treatment_arguments(parser)
    parser.add_argument(
        "--trials",
        type=Path,
        required=True,
        metavar="LIST",
        help="lines `trial_id voice face`, or a VoxCeleb verification list",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="SCORES", help="written: lines `trial_id score`"
    )


def _run(options: argparse.Namespace) -> int:
    scored = score_list(
        checkpoint=options.checkpoint,
        features=options.features,
        trials=options.trials,
        out=options.out,
        device=choose_device(options.device),
        unscorable=options.unscorable,
        treatment=treatment_of(options),
    )
    logger.info("score: %s -> %s (lower = same person)", scored.counts(), options.out)
    return EXIT_DONE


COMMAND = Command(
    name="score",
    summary="score every trial of a list",
    examples="""  python inference.py score --checkpoint checkpoints/English --features WORK/features \\
      --trials DATASET/English_test.txt --out scores.txt
  python inference.py score --checkpoint checkpoints/English --features WORK/features \\
      --trials DATASET/English_test.txt --normalise adaptive --out scores.txt""",
    add_arguments=_add_arguments,
    run=_run,
)
