"""The calibration that a head leaves training with."""

import logging

import numpy as np
import pandas as pd

from src.artifacts.calibration_file import read_calibration
from src.training.head_calibration import calibrate_head


def test_a_head_is_calibrated_or_says_why_not(tmp_path, caplog):
    labels = np.arange(400) % 4 == 0
    scores = np.random.default_rng(1).normal(size=400) + np.where(labels, -1.0, 1.0)
    table = pd.DataFrame({"score": scores, "label": labels.astype(int), "member": np.arange(400) // 4 % 2})
    calibrate_head(tmp_path, table)
    found = read_calibration(tmp_path)
    assert 1.4 < found.weights[0] < 2.8
    assert found.details["fitted_on"] == {"validation_pairs": 400, "members": 2}
    with caplog.at_level(logging.WARNING):
        calibrate_head(tmp_path, table.assign(score=0.0))
    assert "cannot be calibrated" in caplog.text
    assert not list(tmp_path.iterdir())
