"""The calibration that a trained head leaves with: its scores become probabilities without a further command."""

import logging
from pathlib import Path

import pandas as pd

from src.artifacts.calibration_file import CALIBRATION_FILE, StoredCalibration, write_calibration
from src.core.errors import ListError
from src.metrics.member_calibration import calibrate_members

LOGGER = logging.getLogger(__name__)


def calibrate_head(folder: Path, validation_scores: pd.DataFrame) -> None:
    """Fit the calibration on validation scores (`save_validation_scores`) and write it into the checkpoint folder.

    Scores that cannot be calibrated, as where all are equal, leave the head without one, which is warned of.
    """
    columns = (validation_scores[name].to_numpy() for name in ("score", "label", "member"))
    try:
        fitted = calibrate_members(*columns)
    except ListError as error:
        (folder / CALIBRATION_FILE).unlink(missing_ok=True)
        LOGGER.warning(
            "%s: the validation scores cannot be calibrated, so there are no probabilities: %s", folder, error
        )
        return
    calibration = fitted.calibration
    write_calibration(folder, StoredCalibration(calibration.offset, calibration.weights, fitted.details()))
