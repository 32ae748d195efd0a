"""From trained models and embeddings to scores, submissions, measures and a report.

Run `python inference.py COMMAND --help` for what a command takes, with examples.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from src.core.command_line import EXIT_DONE, run_command
from src.core.device import choose_device
from src.core.errors import ConfigError
from src.core.files import write_json
from src.scoring.cells import DEFAULT_PREFIX
from src.scoring.evaluation import (
    evaluation_mapping,
    evaluation_table,
    join_submission,
    join_truth,
    measure,
    overall,
    read_truth_of,
)
from src.scoring.report import ReportSources, write_report
from src.scoring.score_commands import score_list, submit
from src.scoring.submission import read_score_list, read_submission
from src.scoring.trial_scoring import ScoredTrials

logger = logging.getLogger("inference")

_EXAMPLES = {
    "score": """examples:
  python inference.py score --checkpoint checkpoints/English --features WORK/features \\
      --trials DATASET/English_test.txt --out scores.txt""",
    "submit": """examples:
  python inference.py submit --dataset DATASET --features WORK/features \\
      --checkpoint English=checkpoints/English --checkpoint Urdu=checkpoints/Urdu --out submission.zip

The zip holds sub_score_English_heard.txt and sub_score_Urdu_unheard.txt, from the model trained on English, and
sub_score_Urdu_heard.txt and sub_score_English_unheard.txt, from the one trained on Urdu. It is checked against the
lists, and not written when the challenge's scorer would reject it.""",
    "evaluate": """examples:
  python inference.py evaluate --scores scores.txt --truth truth/English_test.csv
  python inference.py evaluate --scores submission.zip --truth truth/ --json measures.json

A truth file is a CSV with the columns trial_id and label (1 = same person, 0 = different people), or plain lines
`trial_id label`. With the columns same_sex and bayes_log_likelihood_ratio the error among same-sex pairs and the
best possible error are printed too.""",
    "report": """examples:
  python inference.py report --submission submission.zip --truth truth/ \\
      --checkpoint English=checkpoints/English --checkpoint Urdu=checkpoints/Urdu \\
      --dataset DATASET --work WORK --out report.html

Without --work the page has no faces and voices.""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and carry the command out; returns the exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _score(options: argparse.Namespace) -> int:
    scored = score_list(
        checkpoint=options.checkpoint,
        features=options.features,
        trials=options.trials,
        out=options.out,
        device=choose_device(options.device),
        unscorable=options.unscorable,
    )
    logger.info("score: %s -> %s (lower = same person)", _counts(scored), options.out)
    return EXIT_DONE


def _submit(options: argparse.Namespace) -> int:
    scored = submit(
        lists=options.lists or options.dataset,
        features=options.features,
        checkpoints=_by_language(options.checkpoint),
        out=options.out,
        prefix=options.prefix,
        device=choose_device(options.device),
        unscorable=options.unscorable,
    )
    for name, result in scored.items():
        logger.info("submit: %s: %s", name, _counts(result))
    logger.info("submit: checked against the lists -> %s", options.out)
    return EXIT_DONE


def _counts(scored: ScoredTrials) -> str:
    given_median = len({trial.trial_id for trial in scored.unscorable})
    return f"{len(scored.scores)} trials" + (
        f", {given_median} with the median score" if given_median else ""
    )


def _evaluate(options: argparse.Namespace) -> int:
    if options.truth.is_dir():
        frames = join_submission(read_submission(options.scores), options.truth)
        cells = {cell: measure(frame) for cell, frame in frames.items()}
        rows = {
            f"trained on {cell.training_language}, tested on {cell.test_language} ({cell.condition})": (
                measures.trials,
                asdict(measures),
            )
            for cell, measures in cells.items()
        }
        print(evaluation_table({**rows, "overall (mean)": (None, overall(list(cells.values())))}))
        content = evaluation_mapping(cells)
    else:
        measures = measure(
            join_truth(read_score_list(options.scores), read_truth_of(options.truth), str(options.scores))
        )
        content = asdict(measures)
        print(evaluation_table({options.scores.name: (measures.trials, content)}))
    if options.json is not None:
        write_json(options.json, content)
    return EXIT_DONE


def _report(options: argparse.Namespace) -> int:
    write_report(
        options.out,
        ReportSources(
            submission=options.submission,
            truth=options.truth,
            checkpoints=_by_language(options.checkpoint),
            lists=options.lists or options.dataset,
            work=options.work,
        ),
    )
    logger.info("report: %.1f MB -> %s", options.out.stat().st_size / 1e6, options.out)
    return EXIT_DONE


def _by_language(pairs: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    folders = dict(pairs)
    if len(folders) != len(pairs):
        raise ConfigError("--checkpoint names a language twice; give one checkpoint a training language")
    return folders


def _language_and_folder(text: str) -> tuple[str, Path]:
    language, separator, folder = text.partition("=")
    if not (language and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not LANGUAGE=DIR, such as English=checkpoints/English")
    return language, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inference.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_score(_command(commands, "score", _score, "score every trial of a list"))
    _add_submit(_command(commands, "submit", _submit, "make a challenge submission of two models"))
    _add_evaluate(_command(commands, "evaluate", _evaluate, "measure scores against their truth"))
    _add_report(_command(commands, "report", _report, "write a page of what was measured"))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR", help="the trained model")
    _add_scoring_arguments(parser)
    parser.add_argument(
        "--trials", type=Path, required=True, metavar="LIST", help="lines `trial_id voice face`"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="SCORES", help="written: lines `trial_id score`"
    )


def _add_submit(parser: argparse.ArgumentParser) -> None:
    _add_lists_arguments(parser, required=True)
    _add_scoring_arguments(parser)
    _add_checkpoints_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="ZIP", help="the submission to write")
    parser.add_argument(
        "--prefix",
        default=DEFAULT_PREFIX,
        help="how the files' names begin (default: %(default)s; the baseline's script puts the data set's "
        "version in: sub_score_v1)",
    )


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scores",
        type=Path,
        required=True,
        help="a score file, or a submission (zip, or folder of its files)",
    )
    parser.add_argument(
        "--truth", type=Path, required=True, help="a truth file, or the folder of <Language>_test.csv files"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures there too")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--submission", type=Path, required=True, metavar="ZIP", help="what submit wrote")
    parser.add_argument(
        "--truth", type=Path, required=True, metavar="DIR", help="folder of <Language>_test.csv files"
    )
    _add_checkpoints_argument(parser)
    _add_lists_arguments(parser, required=False)
    parser.add_argument("--work", type=Path, help="WORK of preprocessing: shows faces and plays voices")
    parser.add_argument("--out", type=Path, required=True, metavar="HTML", help="the page to write")


def _add_scoring_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--features", type=Path, required=True, metavar="WORK/features", help="embeddings")
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda")
    parser.add_argument(
        "--unscorable",
        choices=("error", "median"),
        default="error",
        help="what becomes of trials whose voice or face has no embedding: an error that says why (default), "
        "or the median score, recorded in OUT.unscorable.csv",
    )


def _add_checkpoints_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint",
        type=_language_and_folder,
        action="append",
        required=True,
        metavar="LANGUAGE=DIR",
        help="the model trained on that language; given once for each of the two languages",
    )


def _add_lists_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--dataset",
        type=Path,
        required=required,
        help="the data set; its <Language>_test.txt lists are there, or in a folder directly below",
    )
    parser.add_argument(
        "--lists", type=Path, metavar="DIR", help="where the lists are, when not in the data set"
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
