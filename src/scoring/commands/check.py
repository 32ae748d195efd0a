"""`inference.py check`: tell everything that a challenge's scorer would reject."""

import argparse
from pathlib import Path

from src.core.command_line import EXIT_DONE, EXIT_FAILURES
from src.core.device import choose_device
from src.core.errors import ConfigError
from src.scoring.challenges import CHALLENGES
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_challenge_argument,
    add_checkpoints_argument,
    add_device_argument,
    by_language,
)
from src.scoring.submission_check import check_submission
from src.scoring.trial_scoring import FeatureStores, TrialScorer


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("submission", type=Path, metavar="ZIP", help="the submission")
    add_challenge_argument(parser)
    parser.add_argument(
        "--trials",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="the data set or the folder of its lists, or the lists <Language>_test.txt themselves",
    )
    add_checkpoints_argument(parser, required=False)
    parser.add_argument("--features", type=Path, metavar="WORK/features", help="embeddings, for --checkpoint")
    add_device_argument(parser)


def _run(options: argparse.Namespace) -> int:
    found = check_submission(
        options.submission, options.trials, CHALLENGES.get(options.challenge), _scorers(options)
    )
    for note in found.notes:
        print(f"note: {note}")
    for problem in found.problems:
        print(f"problem: {problem}")
    if found.problems:
        print(
            f"{options.submission}: {len(found.problems)} problems; the scorer would reject it or misjudge it"
        )
        return EXIT_FAILURES
    print(f"{options.submission}: nothing that the scorer would reject")
    return EXIT_DONE


def _scorers(options: argparse.Namespace) -> dict[str, TrialScorer] | None:
    if not options.checkpoint:
        return None
    if options.features is None:
        raise ConfigError(
            "--checkpoint scores the training pairs and the lists, and needs embeddings: add --features"
        )
    stores, device = FeatureStores.open(options.features), choose_device(options.device)
    return {
        language: TrialScorer.load(folder, stores, device, language)
        for language, folder in by_language(options.checkpoint).items()
    }


COMMAND = Command(
    name="check",
    summary="tell everything in a submission that the challenge's scorer would reject",
    examples="""  python inference.py check submission.zip --trials DATASET
  python inference.py check submission.zip --challenge fame2026 --trials English_test.txt German_test.txt
  python inference.py check submission.zip --challenge fame2024 --trials DATASET --features WORK/features \\
      --checkpoint English=checkpoints/English --checkpoint Urdu=checkpoints/Urdu

Names, folders, missing, superfluous and repeated ids, lines that are not `id score`, scores that are not finite. With
checkpoints the polarity too: the model must score pairs of its training people the right way round, and the
submission must rise and fall with the model. Exit status: 0 nothing was found, 1 something was.""",
    add_arguments=_add_arguments,
    run=_run,
)
