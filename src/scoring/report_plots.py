"""Which plots the report shows, with their captions and alternative texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from markupsafe import Markup

from src.core.polarity import score_from_similarity
from src.scoring.cells import Cell
from src.scoring.evaluation import Measures, equal_error_threshold
from src.scoring.evaluation_table import percent
from src.scoring.report_figures import (
    DASHED,
    DOTTED,
    FIRST_MODEL,
    LIMIT,
    SECOND_MODEL,
    SOLID,
    TERMS,
    ScoredCurve,
    det_figure,
    histogram_figure,
    loss_figure,
    validation_figure,
)
from src.scoring.truth import BAYES_RATIO

MODEL_COLOURS = (FIRST_MODEL, SECOND_MODEL)


@dataclass(frozen=True)
class Plot:
    """A drawing, what it shows, and its key: (CSS class, text) pairs."""

    title: str
    svg: Markup
    key: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class CellPlots:
    """DET curves of each test list, and score histograms of each cell."""

    det: list[Plot]
    histograms: list[Plot]


@dataclass(frozen=True)
class TrainingPlots:
    """Training curves of one model; empty where there is no log."""

    language: str
    plots: list[Plot] = field(default_factory=list)


def cell_plots(cells: Mapping[Cell, pd.DataFrame], measures: Mapping[Cell, Measures]) -> CellPlots:
    """Plots over scored trials; frames as from src/scoring/evaluation.py."""
    models = list(dict.fromkeys(cell.training_language for cell in cells))
    colours = dict(zip(models, MODEL_COLOURS, strict=True))
    tests = list(dict.fromkeys(cell.test_language for cell in cells))
    det = [_det_plot(number, test, cells, measures, colours) for number, test in enumerate(tests)]
    histograms = [
        _histogram_plot(number, cell, frame, measures[cell])
        for number, (cell, frame) in enumerate(cells.items())
    ]
    return CellPlots(det, histograms)


def _det_plot(
    number: int,
    test: str,
    cells: Mapping[Cell, pd.DataFrame],
    measures: Mapping[Cell, Measures],
    colours: Mapping[str, str],
) -> Plot:
    shown = [cell for cell in cells if cell.test_language == test]
    curves, key, described = [], [], []
    for cell in shown:
        frame, colour = cells[cell], colours[cell.training_language]
        line = SOLID if cell.condition == "heard" else DASHED
        curves.append(ScoredCurve(frame["score"].to_numpy(), frame["label"].to_numpy(), colour, line))
        place = MODEL_COLOURS.index(colour) + 1
        key.append(
            (f"line model-{place} {cell.condition}", f"{cell.training_language} model ({cell.condition})")
        )
        described.append(f"{cell.training_language} model {percent(measures[cell].eer)}")
    frame = cells[shown[0]]
    if BAYES_RATIO in frame.columns:
        bound = score_from_similarity(frame[BAYES_RATIO].to_numpy())
        curves.append(ScoredCurve(bound, frame["label"].to_numpy(), LIMIT, DOTTED))
        key.append(("line limit", "best possible"))
        described.append(f"best possible {percent(measures[shown[0]].bayes_eer)}")
    text = f"DET curves of the {test} test list. Equal error rates: {', '.join(described)}."
    return Plot(f"{test} test list", det_figure(f"det{number}", text, curves), key)


def _histogram_plot(number: int, cell: Cell, frame: pd.DataFrame, measures: Measures) -> Plot:
    score, label = frame["score"].to_numpy(), frame["label"].to_numpy()
    threshold = equal_error_threshold(frame)
    text = (
        f"Histogram of scores, trained on {cell.training_language}, tested on {cell.test_language}: median "
        f"{np.median(score[label == 1]):.3g} for same-person trials, {np.median(score[label == 0]):.3g} for "
        f"different people; the threshold {threshold:.3g} makes {percent(measures.eer)} errors of either kind."
    )
    title = f"Trained on {cell.training_language}, tested on {cell.test_language} ({cell.condition})"
    return Plot(title, histogram_figure(f"histogram{number}", text, score, label, threshold))


def training_plots(
    place: int, language: str, log: pd.DataFrame | None, kept_epoch: int | None
) -> TrainingPlots:
    """Loss terms and validation error of one model.

    place: 0 or 1, which model it is. kept_epoch: the epoch whose weights the checkpoint holds, if known.
    """
    if log is None or log.empty:
        return TrainingPlots(language)
    log = log if "member" in log.columns else log.assign(member=0)
    plots = []
    terms = [name for name in ("loss", *sorted(set(log.columns) - {"loss"})) if name.endswith("loss")]
    terms = [name for name in terms if name in log.columns and log[name].notna().any()]
    if terms:
        plots.append(_loss_plot(place, language, log, terms))
    if "validation_eer" in log.columns:
        plots.append(_validation_plot(place, language, log, kept_epoch))
    return TrainingPlots(language, plots)


def _loss_plot(place: int, language: str, log: pd.DataFrame, terms: Sequence[str]) -> Plot:
    names = {term: "weighted sum" if term == "loss" else term.replace("_", " ") for term in terms}
    ends = log.groupby("epoch", sort=True)[list(terms)].mean().iloc[[0, -1]]
    changes = ", ".join(
        f"{name} from {ends[term].iloc[0]:.3g} to {ends[term].iloc[1]:.3g}" for term, name in names.items()
    )
    text = f"Training losses of the {language} model over {log['epoch'].nunique()} epochs: {changes}."
    shown = list(names.items())[: len(TERMS) + 1]
    key = [(f"line term-{number}", name) for number, (_, name) in enumerate(shown)]
    return Plot("Loss terms", loss_figure(f"loss{place}", text, log, [term for term, _ in shown]), key)


def _validation_plot(place: int, language: str, log: pd.DataFrame, kept_epoch: int | None) -> Plot:
    mean = log.groupby("epoch", sort=True)["validation_eer"].mean()
    kept = (
        [(float(kept_epoch), float(mean[kept_epoch]))]
        if kept_epoch is not None and kept_epoch in mean.index
        else []
    )
    told = "".join(f"; {percent(rate)} at the kept epoch {epoch:g}" for epoch, rate in kept)
    text = (
        f"Validation error of the {language} model against the epoch: {percent(mean.iloc[0])} at first, "
        f"{percent(mean.min())} at its lowest{told}."
    )
    svg = validation_figure(f"validation{place}", text, log, MODEL_COLOURS[place], kept)
    return Plot("Error on validation identities", svg)
