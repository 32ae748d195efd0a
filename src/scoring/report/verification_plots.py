"""The sections on verification: which curves and histograms are shown, with captions and alternative texts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.core.polarity import score_from_similarity
from src.scoring.cells import Cell
from src.scoring.evaluation import Measures, equal_error_threshold
from src.scoring.evaluation_table import percent
from src.scoring.report.cell_names import CellStyles, cell_title, list_title
from src.scoring.report.inline_svg import DOTTED, LIMIT, Plot
from src.scoring.report.verification_figures import ScoredCurve, det_figure, histogram_figure, roc_figure
from src.scoring.truth import BAYES_RATIO


@dataclass(frozen=True)
class VerificationPlots:
    """DET and ROC curves of each test list, and a score histogram of each cell."""

    det: list[Plot]
    roc: list[Plot]
    histograms: list[Plot]


def verification_plots(
    cells: Mapping[Cell, pd.DataFrame], measures: Mapping[Cell, Measures]
) -> VerificationPlots:
    """Plots over scored trials; frames as from src/scoring/truth.py."""
    styles = CellStyles(cells)
    det, roc = [], []
    for number, test in enumerate(dict.fromkeys(map(list_title, cells))):
        shown = [cell for cell in cells if list_title(cell) == test]
        curves = [
            ScoredCurve(
                cells[cell]["score"].to_numpy(),
                cells[cell]["label"].to_numpy(),
                styles.colour(cell),
                styles.line(cell),
            )
            for cell in shown
        ]
        key = [
            (styles.css_class(cell), f"{cell.training_language} model ({cell.condition})") for cell in shown
        ]
        rates = [f"{cell.training_language} model {percent(measures[cell].eer)}" for cell in shown]
        areas = [f"{cell.training_language} model {percent(measures[cell].auc)}" for cell in shown]
        frame = cells[shown[0]]
        if BAYES_RATIO in frame.columns:
            bound = score_from_similarity(frame[BAYES_RATIO].to_numpy())
            curves.append(ScoredCurve(bound, frame["label"].to_numpy(), LIMIT, DOTTED))
            key.append(("line limit", "best possible"))
            rates.append(f"best possible {percent(measures[shown[0]].bayes_eer)}")
        det_text = f"DET curves of the {test} test list. Equal error rates: {', '.join(rates)}."
        roc_text = f"ROC curves of the {test} test list. Areas under them: {', '.join(areas)}."
        det.append(Plot(f"DET, {test} test list", det_figure(f"det{number}", det_text, curves), key))
        roc.append(Plot(f"ROC, {test} test list", roc_figure(f"roc{number}", roc_text, curves), key))
    histograms = [
        _histogram_plot(number, cell, frame, measures[cell])
        for number, (cell, frame) in enumerate(cells.items())
    ]
    return VerificationPlots(det, roc, histograms)


def _histogram_plot(number: int, cell: Cell, frame: pd.DataFrame, measures: Measures) -> Plot:
    score, label = frame["score"].to_numpy(), frame["label"].to_numpy()
    threshold = equal_error_threshold(frame)
    text = (
        f"Histogram of scores, trained on {cell.training_language}, tested on {list_title(cell)}: median "
        f"{np.median(score[label == 1]):.3g} for same-person trials, {np.median(score[label == 0]):.3g} for "
        f"different people; the threshold {threshold:.3g} makes {percent(measures.eer)} errors of either kind."
    )
    return Plot(cell_title(cell), histogram_figure(f"histogram{number}", text, score, label, threshold))
