"""`inference.py calibrate`: from validation scores to a file in the checkpoint, measures and a plot."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import inference
from src.artifacts.calibration_file import read_calibration
from src.artifacts.checkpoints import save_validation_scores
from src.artifacts.scores import write_scores
from src.core.command_line import EXIT_DONE, EXIT_UNUSABLE, run_command
from src.core.errors import CheckpointError
from src.scoring.checkpoint_calibration import load_calibration


def run(*arguments):
    return run_command(inference.main, ["calibrate", *(str(argument) for argument in arguments)])


def gaussian_scores(trials=2000):
    """Classes at -1 and 1 with variance 1: the log likelihood ratio is -2 · score."""
    labels = np.arange(trials) % 4 == 0
    scores = np.random.default_rng(2).normal(size=trials) + np.where(labels, -1.0, 1.0)
    return scores, labels.astype(int)


@pytest.fixture
def checkpoint(tmp_path):
    scores, labels = gaussian_scores()
    table = pd.DataFrame({"score": scores, "label": labels, "voice_identity": "a", "face_identity": "b"})
    folder = tmp_path / "head"
    folder.mkdir()
    save_validation_scores(folder, table.assign(member=np.arange(len(table)) // 4 % 3))
    return folder


def test_fits_writes_draws_and_measures(checkpoint, tmp_path, capsys):
    plot, measures = tmp_path / "plots/reliability.svg", tmp_path / "measures.json"
    assert run("--checkpoint", checkpoint, "--plot", plot, "--json", measures) == EXIT_DONE
    np.testing.assert_allclose(load_calibration(checkpoint).log_likelihood_ratios([-1, 1]), [2, -2], atol=0.3)
    assert "2000 validation pairs" in capsys.readouterr().out
    found = json.loads(measures.read_text())
    assert found["minimum_cllr"] < found["cllr"] == read_calibration(checkpoint).details["quality"]["cllr"]
    assert "<svg" in plot.read_text()
    first = plot.read_bytes()
    assert run("--checkpoint", checkpoint, "--plot", plot) == EXIT_DONE
    assert plot.read_bytes() == first
    assert run("--checkpoint", checkpoint, "--plot", tmp_path / "r.png") == EXIT_DONE
    with Image.open(tmp_path / "r.png") as picture:
        assert min(picture.size) > 500
    assert run("--checkpoint", checkpoint, "--plot", tmp_path / "r.pdf") == EXIT_UNUSABLE


def test_measures_a_list_and_changes_nothing(checkpoint, tmp_path, capsys):
    assert run("--checkpoint", checkpoint) == EXIT_DONE
    before = (checkpoint / "calibration.json").read_bytes()
    scores, labels = gaussian_scores(400)
    names = [f"t{number}" for number in range(400)]
    write_scores(tmp_path / "scores.txt", dict(zip(names, scores, strict=True)))
    truth = "".join(f"{name} {label}\n" for name, label in zip(names, labels, strict=True))
    (tmp_path / "truth.txt").write_text(truth)
    assert (
        run(
            "--checkpoint", checkpoint, "--scores", tmp_path / "scores.txt", "--truth", tmp_path / "truth.txt"
        )
        == 0
    )
    assert "400 trials of scores.txt" in capsys.readouterr().out
    assert (checkpoint / "calibration.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no calibration"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": 1, "offset": 0}', "damaged"),
        ('{"format": 1, "offset": "x", "weights": [1]}', "damaged"),
        ('{"format": 1, "offset": 0, "weights": []}', "format 1 with"),
        ('{"format": 1, "offset": NaN, "weights": [1]}', "offset nan"),
        ('{"format": 2, "offset": 0, "weights": [1]}', "format 2"),
    ],
)
def test_calibrations_that_cannot_be_used_say_how_to_make_one(tmp_path, content, message):
    if content is not None:
        (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(CheckpointError, match=rf"(?s){message}.*inference\.py calibrate"):
        load_calibration(tmp_path)


def test_unusable_arguments(checkpoint, tmp_path, capsys):
    assert run("--checkpoint", tmp_path) == EXIT_UNUSABLE
    assert "has no validation_scores.parquet" in capsys.readouterr().err
    assert run("--checkpoint", checkpoint, "--truth", tmp_path / "t.txt") == EXIT_UNUSABLE
    assert "--scores and --truth go together" in capsys.readouterr().err
    table = pd.read_parquet(checkpoint / "validation_scores.parquet")
    save_validation_scores(checkpoint, table.assign(label=1))
    assert run("--checkpoint", checkpoint) == EXIT_UNUSABLE
    assert "cannot be calibrated" in capsys.readouterr().err
