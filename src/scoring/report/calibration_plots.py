"""The section on calibration: are the probabilities that a checkpoint's calibration gives as good as they say?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from src.artifacts.calibration_file import CALIBRATION_FILE, read_calibration
from src.artifacts.checkpoints import VALIDATION_SCORES_FILE, Checkpoint, load_validation_scores
from src.core.errors import CheckpointError, ListError
from src.metrics.calibration import LogisticCalibration
from src.metrics.member_calibration import CalibrationQuality, calibration_quality, fit_member_calibration
from src.scoring.cells import Cell
from src.scoring.report.cell_names import CellStyles, cell_title, list_title
from src.scoring.report.inline_svg import RULE, SQUARE_INCHES, Line, LineStyle, Plot, inline_svg
from src.scoring.report.sources import Absent, ReportData

OTHER_SCORES = Absent(
    "The scores were normalised, averaged, pooled or fused; its calibration is that of the model's own scores.",
    "Make a submission without these options, and a report of that.",
)


@dataclass(frozen=True)
class CalibrationSection:
    """A reliability plot of each model that can be calibrated, and what its cells reach.

    qualities: by the title of the cell. absent: training language → why it cannot be calibrated.
    """

    plots: list[Plot]
    qualities: dict[str, CalibrationQuality]
    absent: dict[str, Absent]


def calibration_section(data: ReportData) -> CalibrationSection:
    """Calibrate the scores of each cell by its checkpoint, which knows validation people alone, and measure."""
    styles = CellStyles(data.cells)
    plots: list[Plot] = []
    qualities: dict[str, CalibrationQuality] = {}
    absent: dict[str, Absent] = {}
    for place, model in enumerate(data.models):
        calibration = OTHER_SCORES if data.record else calibration_of(model.checkpoint)
        if isinstance(calibration, Absent):
            absent[model.language] = calibration
            continue
        cells = {
            cell: frame for cell, frame in data.cells.items() if cell.training_language == model.language
        }
        found = {cell: _quality(frame, calibration) for cell, frame in cells.items()}
        qualities |= {cell_title(cell): one for cell, one in found.items()}
        plots.append(_plot(place, model.language, found, styles))
    return CalibrationSection(plots, qualities, absent)


def calibration_of(checkpoint: Checkpoint) -> LogisticCalibration | Absent:
    """The calibration that is kept in the checkpoint, else one fitted now on its validation scores."""
    folder = checkpoint.folder
    try:
        if (folder / CALIBRATION_FILE).is_file():
            stored = read_calibration(folder)
            return LogisticCalibration(stored.offset, stored.weights)
        if not (folder / VALIDATION_SCORES_FILE).is_file():
            return Absent(
                "Its checkpoint holds neither a calibration nor scores of validation pairs.",
                "Train it again with this version, or: python inference.py calibrate --checkpoint DIR.",
            )
        scores = load_validation_scores(folder)
        columns = (scores[name].to_numpy() for name in ("score", "label", "member"))
        return fit_member_calibration(*columns)
    except (CheckpointError, ListError) as error:
        return Absent(f"Its validation scores cannot be calibrated: {error}")


def _quality(frame: pd.DataFrame, calibration: LogisticCalibration) -> CalibrationQuality:
    ratios = calibration.log_likelihood_ratios(frame["score"].to_numpy())
    return calibration_quality(ratios, frame["label"].to_numpy())


def _plot(place: int, language: str, found: Mapping[Cell, CalibrationQuality], styles: CellStyles) -> Plot:
    key = [(styles.css_class(cell), f"{list_title(cell)} test ({cell.condition})") for cell in found]
    told = [
        f"on the {list_title(cell)} test Cllr {one.cllr:.3f} bits, {one.minimum_cllr:.3f} at best"
        for cell, one in found.items()
    ]
    text = f"Reliability of the {language} model's probabilities: {'; '.join(told)}."
    lines = [(one, styles.colour(cell), styles.line(cell)) for cell, one in found.items()]
    return Plot(f"Model trained on {language}", _figure(f"reliability{place}", text, lines), key)


def _figure(prefix: str, description: str, lines: list[tuple[CalibrationQuality, str, LineStyle]]) -> Markup:
    """Observed against predicted; the diagonal is perfect."""

    def paint(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=RULE, linewidth=0.8)
        for quality, colour, style in lines:
            points = quality.reliability
            Line(
                100 * np.asarray(points.predicted), 100 * np.asarray(points.observed), colour, style, "o"
            ).paint(axes)
        axes.set(xlim=(0, 100), ylim=(0, 100))
        axes.set_xlabel("predicted probability of one person, %")
        axes.set_ylabel("observed, %")

    return inline_svg(prefix, description, paint, SQUARE_INCHES)
