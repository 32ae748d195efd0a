"""`inference.py calibrate`: from the scores of a checkpoint to probabilities, and how good they are."""

import argparse
import logging
from pathlib import Path

from src.artifacts.calibration_file import CALIBRATION_FILE
from src.core.command_line import EXIT_DONE
from src.core.errors import ConfigError
from src.core.files import write_json
from src.metrics.member_calibration import CalibrationQuality, calibration_quality
from src.scoring.checkpoint_calibration import calibrate_checkpoint, load_calibration
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import add_checkpoint_argument
from src.scoring.reliability_plot import write_reliability_plot
from src.scoring.submission import read_score_columns_of
from src.scoring.truth import join_truth, read_truth_of

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_checkpoint_argument(parser)
    parser.add_argument(
        "--scores",
        type=Path,
        help="measure the checkpoint's calibration on these scores of it, instead of fitting it",
    )
    parser.add_argument("--truth", type=Path, help="the truth of --scores")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write a reliability plot there, .png or .svg"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures there too")


def _run(options: argparse.Namespace) -> int:
    if (options.scores is None) != (options.truth is None):
        raise ConfigError("--scores and --truth go together")
    if options.scores is None:
        quality = calibrate_checkpoint(options.checkpoint).quality
        where = "validation pairs, each calibrated on the folds of others"
        logger.info("calibrate: fitted -> %s", options.checkpoint / CALIBRATION_FILE)
    else:
        trials = join_truth(
            read_score_columns_of(options.scores), read_truth_of(options.truth), str(options.scores)
        )
        ratios = load_calibration(options.checkpoint).log_likelihood_ratios(trials["score"].to_numpy())
        quality = calibration_quality(ratios, trials["label"].to_numpy())
        where = f"trials of {options.scores.name}"
    _print(quality, where)
    if options.plot is not None:
        write_reliability_plot(options.plot, quality.reliability, options.checkpoint.name, where)
    if options.json is not None:
        write_json(options.json, quality.mapping())
    return EXIT_DONE


def _print(quality: CalibrationQuality, where: str) -> None:
    error = quality.reliability.expected_calibration_error
    print(f"{quality.pairs} {where}")
    print(f"Cllr                        {quality.cllr:.4f} bits  (0 is perfect, 1 says nothing)")
    print(
        f"minimum Cllr                {quality.minimum_cllr:.4f} bits  (what a perfect calibration would leave)"
    )
    print(f"expected calibration error  {100 * error:.2f} %     (at a prior of one half)")


COMMAND = Command(
    name="calibrate",
    summary="fit what makes probabilities of a checkpoint's scores, or measure it",
    examples="""  python inference.py calibrate --checkpoint checkpoints/English --plot reliability.svg
  python inference.py calibrate --checkpoint checkpoints/English --scores scores.txt --truth truth/English_test.csv

The first fits the calibration on the checkpoint's validation scores and writes it into the folder; train.py has done so
already. The second changes nothing and tells how good the probabilities are on a list.""",
    add_arguments=_add_arguments,
    run=_run,
)
