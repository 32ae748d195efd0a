"""`inference.py evaluate`: measure scores against their truth."""

import argparse
from dataclasses import asdict
from pathlib import Path

from src.core.command_line import EXIT_DONE
from src.core.files import write_json
from src.scoring.commands.command import Command
from src.scoring.evaluation import (
    evaluation_mapping,
    evaluation_table,
    join_submission,
    join_truth,
    measure,
    overall,
    read_truth_of,
)
from src.scoring.submission import read_score_list, read_submission


def _add_arguments(parser: argparse.ArgumentParser) -> None:
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


def _run(options: argparse.Namespace) -> int:
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


COMMAND = Command(
    name="evaluate",
    summary="measure scores against their truth",
    examples="""  python inference.py evaluate --scores scores.txt --truth truth/English_test.csv
  python inference.py evaluate --scores submission.zip --truth truth/ --json measures.json

A truth file is a CSV with the columns trial_id and label (1 = same person, 0 = different people), or plain lines
`trial_id label`. With the columns same_sex and bayes_log_likelihood_ratio the error among same-sex pairs and the
best possible error are printed too.""",
    add_arguments=_add_arguments,
    run=_run,
)
