"""The report of a submission: one self-contained page of what was measured, and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from src.artifacts.checkpoints import LOG_FILE, Checkpoint, load_checkpoint
from src.artifacts.trials import Trial
from src.core.errors import ConfigError, ListError
from src.core.files import read_json, write_text
from src.core.version import __version__
from src.scoring.cells import Cell
from src.scoring.evaluation import measure, overall
from src.scoring.evaluation_intervals import list_intervals
from src.scoring.language_lists import read_test_lists
from src.scoring.report_media import ProcessedMedia, hardest_trials
from src.scoring.report_plots import cell_plots, training_plots
from src.scoring.submission import read_submission
from src.scoring.trial_people import UNITS, with_bootstrap_units
from src.scoring.trial_scoring import refuse_other_recipe
from src.scoring.truth import BAYES_RATIO, join_submission
from src.scoring.unscorable_file import read_unscorable

TEMPLATE_FOLDER, TEMPLATE = Path(__file__).parent, "report_template.html"
GENERATED_MARK = "GENERATED_WORLD.json"


@dataclass(frozen=True, kw_only=True)
class ReportSources:
    """Where a report takes its numbers and media from.

    submission: a submission zip, or a folder of its four files. truth: folder of `<Language>_test.csv`.
    checkpoints: training language → checkpoint folder.
    lists: folder of the data set or of its test lists, None for none; needed for media and for people.
    work: WORK of preprocessing, None to show no media.
    """

    submission: Path
    truth: Path
    checkpoints: Mapping[str, Path]
    lists: Path | None = None
    work: Path | None = None


@dataclass(frozen=True)
class Model:
    """A trained model as the report shows it: its checkpoint and its training log, None where there is none."""

    language: str
    checkpoint: Checkpoint
    log: pd.DataFrame | None


def write_report(path: Path, sources: ReportSources) -> None:
    """Write the page, atomically. Raises the errors of what it reads, and ConfigError for contradictions."""
    write_text(path, render_report(sources))


def render_report(sources: ReportSources) -> str:
    """The page as HTML; the same sources give the same text."""
    scores = read_submission(sources.submission)
    cells = join_submission(scores, sources.truth)
    models = _load_models(sources.checkpoints, list(cells))
    lists = _read_lists(sources, cells)
    media = _open_media(sources)
    measures = {cell: measure(frame) for cell, frame in cells.items()}
    context = {
        "version": __version__,
        "generated": _is_generated(sources, cells),
        "languages": list(dict.fromkeys(cell.training_language for cell in cells)),
        "cells": measures,
        "overall": overall(list(measures.values())),
        "spread": _intervals(cells, lists, sources.truth),
        "plots": cell_plots(cells, measures),
        "training": [
            training_plots(place, model.language, model.log, model.checkpoint.metrics.get("epoch"))
            for place, model in enumerate(models)
        ],
        "models": [_model_facts(model) for model in models],
        "unscorable": read_unscorable(sources.submission),
        "hardest": _hardest(cells, lists, media),
        "people_pictured": media is not None,
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "number": _number}
    return environment.get_template(TEMPLATE).render(context)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f}"


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _load_models(folders: Mapping[str, Path], cells: list[Cell]) -> list[Model]:
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


def _read_lists(
    sources: ReportSources, cells: Mapping[Cell, pd.DataFrame]
) -> dict[str, dict[str, Trial]] | None:
    if sources.lists is None:
        return None
    lists = {
        language: {trial.trial_id: trial for trial in trials}
        for language, trials in read_test_lists(
            sources.lists, dict.fromkeys(cell.test_language for cell in cells)
        ).items()
    }
    for cell, frame in cells.items():
        unlisted = [name for name in frame.index if name not in lists[cell.test_language]]
        if unlisted:
            raise ListError(
                f"{sources.lists}: the {cell.test_language} list lacks {len(unlisted)} trials of the truth, "
                f"such as {', '.join(unlisted[:5])}; are they of one data set?"
            )
    return lists


def _open_media(sources: ReportSources) -> ProcessedMedia | None:
    if sources.work is None:
        return None
    if sources.lists is None:
        raise ConfigError("--work shows the media of trials, and only the lists name them: add --dataset")
    return ProcessedMedia(sources.work)


def _is_generated(sources: ReportSources, cells: Mapping[Cell, pd.DataFrame]) -> bool:
    """Whether the people are generated: the data set or the work folder says so, or their model is known."""
    if any(BAYES_RATIO in frame.columns for frame in cells.values()):
        return True
    if sources.lists is not None and (sources.lists / GENERATED_MARK).is_file():
        return True
    described = None if sources.work is None else sources.work / "preprocessing.json"
    return described is not None and described.is_file() and bool(read_json(described).get("generated_world"))


def _intervals(
    cells: Mapping[Cell, pd.DataFrame], lists: Mapping[str, Mapping[str, Trial]] | None, truth: Path
) -> dict[str, Any]:
    drawn, kind = with_bootstrap_units(cells, lists, truth)
    found = list_intervals(drawn, UNITS)
    return {
        "cells": {cell: one["eer"] for cell, one in found.lists.items()},
        "overall": found.mean["eer"],
        "kind": kind,
        "units": found.units,
        "replicates": found.replicates,
    }


def _model_facts(model: Model) -> dict[str, Any]:
    config, metrics = model.checkpoint.config, model.checkpoint.metrics
    identities = config.get("identities", {})
    return {
        "language": model.language,
        "folder": model.checkpoint.folder.name,
        "name": config.get("model", {}).get("name", "unnamed"),
        "encoders": {
            modality: information.get("encoder", "unnamed")
            for modality, information in config.get("encoders", {}).items()
        },
        "training_identities": len(identities.get("training", [])),
        "validation_identities": len(identities.get("validation", [])),
        "weights": sum(tensor.numel() for tensor in model.checkpoint.weights.values()),
        "validation_eer": metrics.get("validation_eer"),
        "settings": json.dumps(
            {"model": config.get("model"), "training": config.get("training")}, indent=2, ensure_ascii=False
        ),
    }


def _hardest(
    cells: Mapping[Cell, pd.DataFrame],
    lists: Mapping[str, Mapping[str, Trial]] | None,
    media: ProcessedMedia | None,
) -> dict[Cell, dict[str, Any]]:
    if media is None or lists is None:
        return {}
    return {
        cell: {
            "missed": hardest_trials(frame, lists[cell.test_language], media, genuine=True),
            "confused": hardest_trials(frame, lists[cell.test_language], media, genuine=False),
        }
        for cell, frame in cells.items()
    }
