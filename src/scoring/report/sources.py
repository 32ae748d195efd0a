"""What a report is made from: paths, and what is read from them before any section is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from src.artifacts.checkpoints import LOG_FILE, Checkpoint, load_checkpoint
from src.artifacts.people import People, Property
from src.artifacts.trials import Trial
from src.core.errors import ConfigError, ListError
from src.core.files import read_json
from src.metrics.bootstrap import REPLICATES
from src.scoring.cells import Cell
from src.scoring.language_lists import read_cell_lists
from src.scoring.submission import read_submission
from src.scoring.treatment import read_record
from src.scoring.trial_people import PEOPLE, TRIALS, with_bootstrap_units
from src.scoring.trial_scoring import refuse_other_recipe
from src.scoring.truth import BAYES_RATIO, join_submission

GENERATED_MARK = "GENERATED_WORLD.json"


@dataclass(frozen=True, kw_only=True)
class ReportSources:
    """Where a report takes its numbers and media from.

    submission: a submission zip, or a folder of its four files. truth: folder of `<Language>_test.csv`.
    checkpoints: training language → checkpoint folder.
    lists: folder of the data set or of its test lists, None for none; needed for media and for people.
    work: WORK of preprocessing, None to show no media. features: folder of the stores `voice` and `face`, WORK/features
    if None; needed for what is asked of the models anew.
    metadata, by: a table of people, and its columns to make strata of. replicates: bootstrap draws.
    """

    submission: Path
    truth: Path
    checkpoints: Mapping[str, Path]
    lists: Path | None = None
    work: Path | None = None
    features: Path | None = None
    metadata: Path | None = None
    by: tuple[Property, ...] = ()
    replicates: int = REPLICATES


@dataclass(frozen=True)
class Absent:
    """A section that cannot be shown. reason: a sentence. remedy: how to get it, "" where nothing helps."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Model:
    """A trained model as the report shows it: its checkpoint and its training log, None where there is none."""

    language: str
    checkpoint: Checkpoint
    log: pd.DataFrame | None


@dataclass(frozen=True)
class ReportData:
    """What was read.

    cells: scored trials with their truth and the two columns `trial_people.UNITS`. drawn: what these units are, PEOPLE
    or TRIALS. record: how the submission was scored, empty for the models' own scores.
    models: one a training language, in the order of the cells. lists: trials of each cell by id.
    """

    cells: dict[Cell, pd.DataFrame]
    drawn: str
    models: list[Model]
    lists: dict[Cell, dict[str, Trial]] | None
    people: People | None
    generated: bool
    record: dict[str, Any]

    @property
    def tracks(self) -> list[str]:
        """Folders of the submission's files, "" for none, in the order of the cells."""
        return list(dict.fromkeys(cell.track for cell in self.cells))

    @property
    def languages(self) -> list[str]:
        """Training languages, in the order of the cells."""
        return list(dict.fromkeys(cell.training_language for cell in self.cells))


def read_sources(sources: ReportSources) -> ReportData:
    """Read and check everything; raises ConfigError for contradictions, besides the errors of what it reads."""
    cells = join_submission(read_submission(sources.submission), sources.truth)
    models = _load_models(sources.checkpoints, cells)
    if sources.work is not None and sources.lists is None:
        raise ConfigError("--work shows the media of trials, and only the lists name them: add --dataset")
    if sources.by and sources.metadata is None:
        raise ConfigError("--by names columns of people, and only a table of them has such: add --metadata")
    lists = None if sources.lists is None else _read_lists(sources.lists, cells)
    drawn, kind = _with_units(cells, lists, sources.truth)
    people = None if sources.metadata is None else People.read(sources.metadata)
    return ReportData(
        drawn, kind, models, lists, people, _is_generated(sources, cells), read_record(sources.submission)
    )


def _with_units(
    cells: Mapping[Cell, pd.DataFrame], lists: Mapping[Cell, Mapping[str, Trial]] | None, truth: Path
) -> tuple[dict[Cell, pd.DataFrame], str]:
    drawn: dict[Cell, pd.DataFrame] = {}
    kinds = set()
    for track in dict.fromkeys(cell.track for cell in cells):
        own = {cell: frame for cell, frame in cells.items() if cell.track == track}
        by_language = None if lists is None else {cell.test_language: lists[cell] for cell in own}
        found, kind = with_bootstrap_units(own, by_language, truth)
        drawn |= found
        kinds.add(kind)
    return drawn, PEOPLE if kinds == {PEOPLE} else TRIALS


def _load_models(folders: Mapping[str, Path], cells: Mapping[Cell, pd.DataFrame]) -> list[Model]:
    languages = dict.fromkeys(cell.training_language for cell in cells)
    if set(folders) != set(languages):
        raise ConfigError(
            f"the submission has models trained on {' and '.join(languages)}, --checkpoint names {', '.join(folders) or 'none'}"
        )
    models = []
    for language in languages:
        checkpoint = load_checkpoint(folders[language])
        refuse_other_recipe(checkpoint, language)
        log = checkpoint.folder / LOG_FILE
        models.append(Model(language, checkpoint, pd.read_csv(log) if log.is_file() else None))
    return models


def _read_lists(folder: Path, cells: Mapping[Cell, pd.DataFrame]) -> dict[Cell, dict[str, Trial]]:
    lists = {
        cell: {trial.trial_id: trial for trial in trials}
        for cell, trials in read_cell_lists(folder, list(cells)).items()
    }
    for cell, frame in cells.items():
        unlisted = [name for name in frame.index if name not in lists[cell]]
        if unlisted:
            raise ListError(
                f"{folder}: the {cell.test_language} list lacks {len(unlisted)} trials of the truth, "
                f"such as {', '.join(unlisted[:5])}; are they of one data set?"
            )
    return lists


def _is_generated(sources: ReportSources, cells: Mapping[Cell, pd.DataFrame]) -> bool:
    """Whether the people are generated: the data set or the work folder says so, or their model is known."""
    if any(BAYES_RATIO in frame.columns for frame in cells.values()):
        return True
    if sources.lists is not None and (sources.lists / GENERATED_MARK).is_file():
        return True
    described = None if sources.work is None else sources.work / "preprocessing.json"
    return described is not None and described.is_file() and bool(read_json(described).get("generated_world"))
