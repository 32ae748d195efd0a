"""The encoder that docs/encoders.md shows, taken from there."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch

from src.artifacts.checkpoints import file_sha256
from src.encoders import registry
from src.encoders.registry import ENCODERS, FACE_ENCODERS, load_encoder

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "encoders.md"


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """The documented file, imported as a worker process does it."""
    monkeypatch.setattr(registry, "ENCODERS", dict(ENCODERS))
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "my_features.py"
    path.write_text(code, encoding="utf-8")
    specification = importlib.util.spec_from_file_location("__mp_main__", path)
    specification.loader.exec_module(importlib.util.module_from_spec(specification))
    return path


def test_the_documented_lines_work(own_file):
    encoder = load_encoder("mean-colour")
    crops = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    crops[:, 1] = 100
    assert encoder.embed(crops).tolist() == [[0.0, 100.0, 0.0]] * 2
    assert encoder.provenance.weights_sha256 == file_sha256(own_file)


@pytest.mark.usefixtures("own_file")
def test_the_command_line_offers_it(capsys):
    from features.__main__ import main

    with pytest.raises(SystemExit):
        main(["--help"])
    assert "mean-colour" in capsys.readouterr().out


def test_every_encoder_and_file_is_documented():
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, entry in ENCODERS.items():
        assert f"`{name}`" in text
        for file in entry.published.files if entry.published else ():
            assert f"`{file.name}`" in text
    aligned = {name for name in FACE_ENCODERS if ENCODERS[name].crop == "aligned"}
    rows = [line for line in text.splitlines() if line.startswith("| `") and "| aligned |" in line]
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])} == aligned
