"""The calibration of a checkpoint: fitted on its validation scores, kept in its folder, applied to its scores."""

from pathlib import Path

from src.artifacts.calibration_file import StoredCalibration, read_calibration, write_calibration
from src.artifacts.checkpoints import load_validation_scores
from src.core.errors import CheckpointError, ListError
from src.metrics.calibration import LogisticCalibration
from src.metrics.member_calibration import MemberCalibration, calibrate_members


def calibrate_checkpoint(folder: Path) -> MemberCalibration:
    """Fit the calibration of a checkpoint on its own validation scores, and write it into the folder.

    Raises CheckpointError where the folder has no validation scores or they cannot be calibrated.
    """
    scores = load_validation_scores(folder)
    try:
        fitted = calibrate_members(
            scores["score"].to_numpy(), scores["label"].to_numpy(), scores["member"].to_numpy()
        )
    except ListError as error:
        raise CheckpointError(f"{folder}: its validation scores cannot be calibrated: {error}") from error
    calibration = fitted.calibration
    write_calibration(folder, StoredCalibration(calibration.offset, calibration.weights, fitted.details()))
    return fitted


def load_calibration(folder: Path) -> LogisticCalibration:
    """The calibration of a checkpoint's scores. Raises CheckpointError when it is absent or cannot be used."""
    stored = read_calibration(folder)
    return LogisticCalibration(stored.offset, stored.weights)
