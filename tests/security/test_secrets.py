"""The token of the hub, which is in the environment of all tests, stands in nothing that the commands write."""

import os
import sys

import pytest

from features.__main__ import main as extract
from src.core.errors import VoxfaceError
from src.core.files import read_json, write_json
from src.core.output_lock import LOCK_FILE, locked_output
from src.core.provenance import environment
from src.encoders.registry import load_encoder

MARK = "ThisIsNoTokenBut"


def test_no_file_of_a_whole_run_holds_it(tiny_features):
    assert MARK in os.environ["HF_TOKEN"]
    files = [path for path in tiny_features.root.rglob("*") if path.is_file()]
    assert any(path.name == "preprocessing.json" for path in files)
    assert any(path.name == "store.json" for path in files)
    for path in files:
        assert MARK.encode() not in path.read_bytes(), path


def test_a_token_on_a_command_line_is_kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "--token", os.environ["HF_TOKEN"]])
    write_json(tmp_path / "environment.json", environment())
    assert read_json(tmp_path / "environment.json")["command"] == ["train.py", "--token", "***"]
    with locked_output(tmp_path / "out"):
        holder = (tmp_path / "out" / LOCK_FILE).read_text(encoding="utf-8")
    assert "train.py" in holder
    assert MARK not in holder


def test_messages_do_not_show_it(capfd, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path))
    extract(["weights"])
    with pytest.raises(VoxfaceError) as caught:
        load_encoder("ecapa")
    assert MARK not in "".join([*capfd.readouterr(), caplog.text, str(caught.value)])
