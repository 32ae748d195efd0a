"""`inference.py evaluate`: measure scores against their truth."""

import argparse
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from src.artifacts.people import People, Property
from src.core.command_line import EXIT_DONE
from src.core.files import write_json
from src.scoring.cells import Cell
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_lists_arguments,
    add_metadata_arguments,
    add_results_arguments,
)
from src.scoring.evaluation import evaluation_mapping, measure, overall_by_track
from src.scoring.evaluation_intervals import ListIntervals, list_intervals
from src.scoring.evaluation_strata import strata_of, strata_table
from src.scoring.evaluation_table import evaluation_table
from src.scoring.language_lists import read_test_lists
from src.scoring.submission import read_score_columns_of, read_submission
from src.scoring.treatment import TRANSDUCTIVE, read_record
from src.scoring.trial_people import PEOPLE, UNITS, with_bootstrap_units
from src.scoring.truth import join_submission, join_truth, read_truth_of, says_who

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scores",
        type=Path,
        required=True,
        help="a score file, or a submission (zip, or folder of its files)",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        help="a truth file, a VoxCeleb verification list, or the folder of <Language>_test.csv files",
    )
    add_lists_arguments(parser, required=False)
    add_metadata_arguments(parser)
    add_results_arguments(parser)


def _run(options: argparse.Namespace) -> int:
    people = None if options.metadata is None else People.read(options.metadata)
    content = (
        _submission(options, people) if options.truth.is_dir() else _single_list(options, options.by, people)
    )
    if record := read_record(options.scores):
        if record.get(TRANSDUCTIVE):
            logger.warning("%s: transductive, scored with the test set as a whole", options.scores)
        content = {**content, "scoring": record}
    if options.json is not None:
        write_json(options.json, content)
    return EXIT_DONE


def _single_list(options: argparse.Namespace, by: list[Property], people: People | None) -> dict[str, Any]:
    truth = read_truth_of(options.truth)
    trials = join_truth(read_score_columns_of(options.scores), truth, str(options.scores))
    del truth
    measures = measure(trials)
    name = options.scores.name
    intervals = list_intervals({name: trials}, UNITS, options.replicates) if _drawn(options, trials) else None
    shown = None if intervals is None else intervals.lists
    print(evaluation_table({name: (measures.trials, asdict(measures))}, shown))
    strata = _strata({name: trials}, by, people, options.replicates)
    return {
        **asdict(measures),
        "intervals": None if shown is None else _intervals_mapping(shown[name]),
        "strata": strata.get(name, []),
    }


def _submission(options: argparse.Namespace, people: People | None) -> dict[str, Any]:
    frames = join_submission(read_submission(options.scores), options.truth)
    cells = {cell: measure(frame) for cell, frame in frames.items()}
    frames, kind = with_bootstrap_units(frames, _trials_by_id(options, frames), options.truth)
    content = evaluation_mapping(cells)
    for track, means in overall_by_track(cells).items():
        within = {cell: frame for cell, frame in frames.items() if cell.track == track}
        drawn = bool(options.replicates) and kind == PEOPLE
        intervals = list_intervals(within, UNITS, options.replicates) if drawn else None
        rows: dict[str, tuple[int | None, Mapping[str, float | None]]] = {
            _name(cell): (cells[cell].trials, asdict(cells[cell])) for cell in within
        }
        mean = f"overall (mean){f', {track}' if track else ''}"
        print(evaluation_table({**rows, mean: (None, means)}, _shown(intervals, mean)))
        if intervals is not None:
            content.setdefault("intervals", {})[track] = _intervals_mapping(intervals.mean)
        for found in content["cells"]:
            cell = Cell(found["training_language"], found["test_language"], found["track"])
            if cell in within:
                found["intervals"] = None if intervals is None else _intervals_mapping(intervals.lists[cell])
    strata = _strata(
        {_name(cell): frame for cell, frame in frames.items()}, options.by, people, options.replicates
    )
    for cell, found in zip(cells, content["cells"], strict=True):
        found["strata"] = strata[_name(cell)]
    return content


def _shown(intervals: ListIntervals[Cell] | None, mean: str) -> dict[str, Any]:
    if intervals is None:
        return {}
    return {**{_name(cell): one for cell, one in intervals.lists.items()}, mean: intervals.mean}


def _drawn(options: argparse.Namespace, trials: pd.DataFrame) -> bool:
    return bool(options.replicates) and says_who(trials)


def _trials_by_id(options: argparse.Namespace, cells: Mapping[Cell, pd.DataFrame]) -> dict[str, Any] | None:
    folder = options.lists or options.dataset
    if folder is None:
        return None
    languages = dict.fromkeys(cell.test_language for cell in cells)
    return {
        language: {trial.trial_id: trial for trial in trials}
        for language, trials in read_test_lists(folder, languages).items()
    }


def _strata(
    lists: Mapping[str, pd.DataFrame], by: list[Property], people: People | None, replicates: int
) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for name, trials in lists.items():
        strata = strata_of(trials, by, people, replicates)
        if strata:
            print(f"\n{name}\n{strata_table(strata)}")
        found[name] = [asdict(one) for one in strata]
    return found


def _intervals_mapping(intervals: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if one is None else asdict(one) for name, one in intervals.items()}


def _name(cell: Cell) -> str:
    track = f"{cell.track}: " if cell.track else ""
    return f"{track}trained on {cell.training_language}, tested on {cell.test_language} ({cell.condition})"


COMMAND = Command(
    name="evaluate",
    summary="measure scores against their truth",
    examples="""  python inference.py evaluate --scores scores.txt --truth truth/English_test.csv
  python inference.py evaluate --scores submission.zip --truth truth/ --json measures.json
  python inference.py evaluate --scores scores.txt --truth veriflist_test_random_unseenunheard.txt \\
      --metadata vox1_meta.csv --by gender nationality gender+nationality

Prints EER, AUC, minDCF, TPR at FPR and 10-fold accuracy; where the truth says who is who, each with a 95 % interval over
people. A truth file is a CSV with the columns trial_id and label (1 = same person, 0 = different people), or plain lines
`trial_id label`, or a VoxCeleb verification list. Further columns: voice_identity and face_identity say who is who;
same_sex and bayes_log_likelihood_ratio add the error among same-sex pairs and the best possible error.
--by measures among the trials whose voice and face agree in a column of --metadata (age:10: in steps of 10 years), or
that share a value of a column of the truth itself.""",
    add_arguments=_add_arguments,
    run=_run,
)
