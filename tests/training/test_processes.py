"""Two processes train as one does: the same weights, whatever the loss couples; files are written once; a stop is resumed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import train
from src.artifacts.checkpoints import load_checkpoint
from src.core.errors import ConfigError
from src.training.processes import gather_rows, own_rows, own_share, process_count
from tests.features.made_up_stores import write_stores
from tests.training.made_up_media import write_small_encoders, write_work

ROOT = Path(__file__).resolve().parents[2]
# 7 people a batch: shares of 3 and 4. Plain SGD, since AdamW makes a step of the rounding where a gradient is 0.
COMMON = """
recipe: association
batch: {identities: 7, voices_per_identity: 2, faces_per_identity: 2, voice_tokens: 2, face_tokens: 2}
optimizer: {name: sgd, momentum: 0.9, learning_rate: 0.05, weight_decay: 0.01, gradient_clip: 1.0, average_decay: 0.5}
validation: {folds: 2, every_steps: 2, patience: 9}
steps: 6
fewest_identities: 4
"""
METHODS = {
    # batch norms in the branches, and orthogonal projection behind them
    "fop": "model: {name: fop, width: 8, dropout: 0.0}\nobjective: {name: fop}\n",
    "infonce": "model: {name: shared-space, width: 8, dropout: 0.0}\nobjective: {name: infonce}\n",
    "aasm": "model: {name: aasm, width: 8, voice_hidden: 8, face_hidden: 8}\nobjective: {name: aasm}\n",
    "paeff": "model: {name: paeff, width: 8, dropout: 0.0}\nobjective: {name: paeff}\n",
    # the fusion of FOP's network takes no part
    "pairs": "model: {name: fop, width: 8, dropout: 0.0}\nobjective: {name: mfv}\n",
    "cafnet": "model: {name: cafnet, width: 8, heads: 2, hidden: 8, dropout: 0.0}\nobjective: {name: cafnet}\n",
    # encoders that learn along, with batch norms over images and sequences
    "media": "model: {name: aasm, width: 8, voice_hidden: 8, face_hidden: 8, unit_inputs: true}\nobjective: {name: aasm}\n"
    "encoders: {learning_rate: 0.01, crop_seconds: 0.5, voice: {weights: START/voice}, face: {weights: START/face}}\n",
    "dropout": "model: {name: fop, width: 8, dropout: 0.5}\nobjective: {name: fop}\n",
}
EXACT = [name for name in METHODS if name != "dropout"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    write_stores(folder, people=16, items=4, windows=2)
    write_work(folder / "work", items=2)
    write_small_encoders(folder / "start")
    for name, settings in METHODS.items():
        recipe = (COMMON + settings).replace("START", str(folder / "start"))
        (folder / f"{name}.yaml").write_text(recipe, encoding="utf-8")
    return folder


def words(world, method, out):
    source = ["--media", str(world / "work")] if method == "media" else ["--features", str(world)]
    places = [*source, "--out", str(world / out)]
    return [str(world / f"{method}.yaml"), *places, "--language", "English", "--device", "cpu"]


@pytest.fixture(scope="module")
def together(world):
    """All runs of two processes, one start of Python for all of them."""
    runs = [{"arguments": words(world, name, f"two/{name}"), "stop_in_epoch": None} for name in METHODS]
    runs.append({"arguments": words(world, "dropout", "two/stopped"), "stop_in_epoch": 3})
    runs.append({"arguments": [*words(world, "dropout", "two/stopped"), "--resume"], "stop_in_epoch": None})
    (world / "runs.json").write_text(json.dumps(runs), encoding="utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [*launcher, str(ROOT / "tests/training/two_processes.py"), str(world / "runs.json")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    return finished.stderr


@pytest.mark.parametrize("method", EXACT)
def test_two_processes_end_with_the_weights_of_one(world, together, method):
    assert train.main(words(world, method, f"one/{method}")) == 0
    for part in ("", "encoders/voice", "encoders/face") if method == "media" else ("",):
        one, two = (load_checkpoint(world / folder / method / part) for folder in ("one", "two"))
        assert one.weights.keys() == two.weights.keys()
        for name, tensor in one.weights.items():
            torch.testing.assert_close(
                two.weights[name], tensor, rtol=2e-4, atol=2e-6, msg=lambda text, n=name: f"{n}: {text}"
            )
    logs = [pd.read_csv(world / folder / method / "training_log.csv") for folder in ("one", "two")]
    np.testing.assert_allclose(logs[1], logs[0], rtol=1e-3, atol=1e-5)
    assert logs[0]["loss"].iloc[0] != logs[0]["loss"].iloc[-1]


def test_the_first_process_alone_writes_and_speaks(world, together):
    assert together.count(" at epoch ") == len(METHODS) + 1
    log = pd.read_csv(world / "two/fop/training_log.csv")
    assert log["step"].tolist() == [2, 4, 6]
    assert len(list((world / "two/fop/tensorboard/member_0").iterdir())) == 1


def test_a_stopped_training_of_two_goes_on_to_the_same_bits(world, together):
    whole, stopped = (load_checkpoint(world / "two" / name) for name in ("dropout", "stopped"))
    assert all(torch.equal(stopped.weights[name], tensor) for name, tensor in whole.weights.items())


def test_one_process_has_everything_and_gathers_nothing():
    rows = torch.arange(12.0, requires_grad=True).reshape(6, 2)
    assert process_count() == 1
    assert own_share(5) == slice(0, 5)
    assert own_rows(rows, 3) is rows
    assert gather_rows(rows, 3) is rows


def test_recipes_that_train_in_one_process_say_so(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="this recipe takes one process"):
        train.main(
            ["configs/encoders/face-compact.yaml", "--media", str(tmp_path), "--out", str(tmp_path / "out")]
        )
    with pytest.raises(ConfigError, match=r"train\.py sweep takes one process"):
        train.main(["sweep"])
