"""The token of the hub, which is in the environment of all tests, stands in nothing that the commands write."""

import os
import sys
import zipfile

import pytest

import inference
import train
from features.__main__ import main as extract
from src.core.errors import VoxfaceError
from src.core.files import read_json, write_json
from src.core.output_lock import LOCK_FILE, locked_output
from src.core.provenance import environment
from src.encoders.registry import load_encoder

MARK = "ThisIsNoTokenBut"
WRITTEN = (
    "preprocessing.json",
    "store.json",
    "config.json",
    "environment.json",
    "submission.zip",
    "report.html",
)


def test_no_file_of_a_whole_run_holds_it(tiny_report):
    assert MARK in os.environ["HF_TOKEN"]
    files = [path for path in tiny_report.root.rglob("*") if path.is_file()]
    assert set(WRITTEN) <= {path.name for path in files}
    assert any(path.name.startswith("events.out.tfevents") for path in files)
    for path in files:
        assert MARK.encode() not in path.read_bytes(), path
    with zipfile.ZipFile(tiny_report.submission) as archive:
        assert not any(MARK.encode() in archive.read(name) for name in archive.namelist())


def test_a_token_on_a_command_line_is_kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--token", os.environ["HF_TOKEN"]])
    write_json(tmp_path / "environment.json", environment())
    assert read_json(tmp_path / "environment.json")["command"] == ["train.py", "--token", "***"]
    with locked_output(tmp_path / "out"):
        holder = (tmp_path / "out" / LOCK_FILE).read_text(encoding="utf-8")
    assert "train.py" in holder
    assert MARK not in holder


def test_messages_of_training_scoring_and_evaluation_do_not_show_it(tiny_submission, capfd, caplog, tmp_path):
    run = tiny_submission
    score = ["score", "--checkpoint", run.checkpoint("English"), "--features", run.features]
    score += [
        "--trials",
        run.dataset / "Urdu_test.txt",
        "--unscorable",
        "median",
        "--out",
        tmp_path / "scores",
    ]
    evaluate = ["evaluate", "--scores", run.submission, "--truth", run.truth]
    short = ["--set", "steps=2", "--set", "validation.every_steps=1", "--set", "model.members=1"]
    learn = ["configs/cafnet.yaml", "--features", run.features, "--language", "English", "--out", tmp_path]
    commands = ((train.main, [*learn, *short]), (inference.main, score), (inference.main, evaluate))
    for command, words in commands:
        assert command([str(word) for word in words]) == 0
    with pytest.raises(VoxfaceError) as caught:
        train.main([str(word) for word in learn] + ["--set", "no_such_key=1"])
    said = "".join([*capfd.readouterr(), caplog.text, str(caught.value)])
    assert "no_such_key" in said
    assert MARK not in said


def test_messages_do_not_show_it(capfd, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path))
    extract(["weights"])
    with pytest.raises(VoxfaceError) as caught:
        load_encoder("ecapa")
    assert MARK not in "".join([*capfd.readouterr(), caplog.text, str(caught.value)])
