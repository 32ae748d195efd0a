"""Every shipped recipe of a head trains on small stores, in a few steps, and its checkpoint scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import inference
import train
from src.artifacts.checkpoints import load_checkpoint, load_validation_scores
from src.core.config import read_yaml_mapping
from src.metrics.verification import equal_error_rate
from tests.features.made_up_stores import write_stores

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
HEADS = sorted(
    path.stem
    for path in CONFIGS.glob("*.yaml")
    if read_yaml_mapping(path)["recipe"] == "association" and "encoders" not in read_yaml_mapping(path)
)
SMALLER = {
    "best": {"aligned_width": 3, "width": 8, "members": 2},
    "cafnet": {"width": 8, "members": 2},
    "infonce-cca": {"canonical_width": 3},
    "linear-cca": {"width": 3},
}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    write_stores(folder, people=12, items=4, windows=2)
    return folder


def shrunk(name):
    """Settings that make a recipe short."""
    mapping = read_yaml_mapping(CONFIGS / f"{name}.yaml")
    settings = [f"model.{key}={value}" for key, value in SMALLER.get(name, {}).items()]
    settings += ["validation.folds=3"]
    if "steps" in mapping:
        settings += ["steps=4", "validation.every_steps=2", "batch.identities=4"]
    return [word for setting in settings for word in ("--set", setting)]


def run(name, features, out, *more):
    arguments = ["--features", str(features), "--language", "English", "--out", str(out), "--device", "cpu"]
    return train.main([str(CONFIGS / f"{name}.yaml"), *arguments, *shrunk(name), *more])


@pytest.fixture(scope="module")
def trained(features, tmp_path_factory):
    """The checkpoint folder of a recipe, trained once."""
    folders = {}

    def folder_of(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("checkpoints") / name
            start = ["--set", f"start_from={folder_of('mfv')}"] if name == "mfv-adaptation" else []
            assert run(name, features, folders[name], *start) == 0
        return folders[name]

    return folder_of


@pytest.mark.parametrize("name", HEADS)
def test_it_trains_and_scores(name, features, trained, tmp_path):
    checkpoint = load_checkpoint(trained(name))
    assert checkpoint.config["model"]["voice_dimension"] == 6
    assert all(tensor.isfinite().all() for tensor in checkpoint.weights.values())
    log = pd.read_csv(checkpoint.folder / "training_log.csv")
    terms = [column for column in log.columns if column.endswith("_loss")]
    assert set(terms) == {f"{term}_loss" for term in checkpoint.config["training"]["objective"]["weights"]}
    assert np.isfinite(log[terms].to_numpy()).all()
    scores = tmp_path / "scores.txt"
    arguments = ["--checkpoint", str(checkpoint.folder), "--features", str(features)]
    trials = ["--trials", str(features / "English_test.txt"), "--out", str(scores)]
    assert inference.main(["score", *arguments, *trials]) == 0
    assert len(scores.read_text().splitlines()) == 9


@pytest.mark.parametrize("name", HEADS)
def test_its_yaml_states_its_command(name):
    assert f"python train.py configs/{name}.yaml " in (CONFIGS / f"{name}.yaml").read_text("utf-8")


def test_the_run_folder_is_whole(trained):
    folder = trained("cafnet")
    present = {path.name for path in folder.iterdir()}
    assert present == {
        ".lock",
        "config.json",
        "environment.json",
        "metrics.json",
        "model.safetensors",
        "tensorboard",
        "training_curves.png",
        "training_log.csv",
        "validation_scores.parquet",
        "calibration.json",
    }
    assert list((folder / "tensorboard" / "member_1").iterdir())


def test_validation_scores_are_those_of_the_metrics(trained):
    checkpoint = load_checkpoint(trained("cafnet"))
    scores = load_validation_scores(checkpoint.folder)
    assert set(scores["member"]) == {0, 1}
    np.testing.assert_array_equal(scores["label"], scores["voice_identity"] == scores["face_identity"])
    for member, rows in scores.groupby("member"):
        people = set(checkpoint.config["identities"]["members"][member]["validation"])
        assert set(rows["voice_identity"]) | set(rows["face_identity"]) == people
        expected = checkpoint.metrics["validation_eer_of_members"][member]
        assert equal_error_rate(rows["score"], rows["label"]) == pytest.approx(expected, abs=1e-6)


def test_adaptation_begins_with_the_weights_it_is_given(trained):
    first, second = (load_checkpoint(trained(name)).weights for name in ("mfv", "mfv-adaptation"))
    largest = max(float((first[name] - second[name]).abs().max()) for name in first)
    assert 0 < largest < 1e-3
    assert not torch.equal(first["members.0.joint.weight"], second["members.0.joint.weight"])
