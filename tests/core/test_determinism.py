import os
import pickle

import pyarrow as pa
import pytest
import torch

import inference
import train
from features.__main__ import main as extract
from preprocessing.__main__ import main as preprocess
from src.core.determinism import as_here, compute_deterministically, is_deterministic
from src.core.engines.local import OwnProcess
from src.core.errors import VoxfaceError
from src.core.stage import Stage, read_parts, run_stage


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    yield
    torch.use_deterministic_algorithms(False)


def make_worker():
    state = is_deterministic(), os.environ.get("CUBLAS_WORKSPACE_CONFIG"), torch.backends.cudnn.deterministic
    return lambda _: {"manifest": pa.table({"status": ["done"], "reason": [str(state)]})}


class OtherProcess:
    """An engine whose workers begin as a new process does, and not as the caller is."""

    def open(self, make, workers, tasks, libraries):
        sent = pickle.dumps(make)
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic = False
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
        return OwnProcess(pickle.loads(sent))

    def description(self):
        return {}


@pytest.mark.parametrize("asked_for", [True, False])
def test_workers_compute_as_the_process_that_was_started(asked_for, tmp_path):
    if asked_for:
        compute_deterministically()
    stage = Stage(name="rows", folder=tmp_path, parts=[[1]], make_worker=make_worker, settings={}, unit="row")
    run_stage(stage, engine=OtherProcess())
    state = read_parts(tmp_path / "manifest")["reason"].to_pylist()
    assert state == [str((True, ":4096:8", True) if asked_for else (False, None, False))]


def test_what_has_no_deterministic_algorithm_is_refused():
    operation = torch.nn.functional.max_unpool1d
    values, places = torch.ones(1, 1, 2), torch.tensor([[[0, 1]]])
    operation(values, places, 2)
    compute_deterministically()
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
        operation(values, places, 2)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (train.main, ["absent.yaml", "--out", "OUT"]),
        (train.main, ["sweep", "absent.yaml", "--features", "F", "--language", "L", "--out", "OUT"]),
        (extract, ["absent"]),
        (preprocess, ["absent", "--out", "OUT"]),
        (
            inference.main,
            ["score", "--checkpoint", "C", "--features", "F", "--trials", "absent", "--out", "SCORES"],
        ),
    ],
)
def test_commands_that_compute_take_the_option(command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in (False, True):
        with pytest.raises((VoxfaceError, FileNotFoundError)):
            command([*words, "--deterministic"] if given else words)
        assert is_deterministic() == given


def test_without_the_option_workers_are_made_as_they_were():
    assert as_here(make_worker) is make_worker
