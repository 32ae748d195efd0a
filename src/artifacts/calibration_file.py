"""The calibration of a checkpoint: CHECKPOINT/calibration.json, what makes probabilities of its scores.

    {"format": 1, "offset": …, "weights": [w], "fitted_on": {…}, "quality": {…}, "version": …}

The log likelihood ratio of a score is `offset - w · score`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.core.errors import CheckpointError
from src.core.files import read_json, write_json
from src.core.version import __version__

CALIBRATION_FILE = "calibration.json"
CALIBRATION_FORMAT = 1


@dataclass(frozen=True)
class StoredCalibration:
    """The numbers of a calibration file.

    offset, weights: of `src.metrics.calibration.LogisticCalibration`. details: what it was fitted on and how good it is.
    """

    offset: float
    weights: tuple[float, ...]
    details: Mapping[str, Any]


def write_calibration(folder: Path, calibration: StoredCalibration) -> None:
    """Write the calibration into a checkpoint folder, atomically."""
    write_json(
        folder / CALIBRATION_FILE,
        {
            "format": CALIBRATION_FORMAT,
            "offset": calibration.offset,
            "weights": list(calibration.weights),
            **calibration.details,
            "version": __version__,
        },
    )


def read_calibration(folder: Path) -> StoredCalibration:
    """Read the calibration of a checkpoint folder. Raises CheckpointError when it is absent or cannot be used."""
    path = folder / CALIBRATION_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder}: has no {CALIBRATION_FILE}, so its scores cannot be made into probabilities. "
            f"Make it of the validation scores: python inference.py calibrate --checkpoint {folder}"
        )
    try:
        content = dict(read_json(path))
        form = content.pop("format")
        offset, weights = float(content.pop("offset")), tuple(map(float, content.pop("weights")))
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: damaged, or not a calibration ({error!r}). "
            f"Make it again: python inference.py calibrate --checkpoint {folder}"
        ) from error
    if form != CALIBRATION_FORMAT or not weights or not all(map(isfinite, (offset, *weights))):
        raise CheckpointError(
            f"{path}: calibration format {form} with offset {offset} and weights {list(weights)}; this program reads "
            f"format {CALIBRATION_FORMAT} with finite numbers. Make it again: python inference.py calibrate "
            f"--checkpoint {folder}"
        )
    return StoredCalibration(offset, weights, content)
