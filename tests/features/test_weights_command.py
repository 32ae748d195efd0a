"""`python -m features weights`."""

from dataclasses import replace

import pytest

from features.weights_command import main
from src.core.command_line import run_command
from src.encoders import registry, weights
from src.encoders.contract import CropInput
from src.encoders.registry import ENCODERS, register_encoder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, no hub cache, and a registry of its own."""
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(registry, "ENCODERS", dict(ENCODERS))
    monkeypatch.setattr("features.weights_command.ENCODERS", registry.ENCODERS)
    return tmp_path / "cache"


@pytest.fixture
def fetched(monkeypatch):
    """Downloads write a few bytes and are noted."""
    asked = []

    def fetch(url, path, sha256):
        asked.append(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")

    monkeypatch.setattr(weights, "download", fetch)
    return asked


def put(cache, encoder, name, content=b"weights"):
    path = cache / encoder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def rows(text):
    """The table as encoder → the words of its line."""
    lines = text.split("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_the_list_has_every_encoder_and_how_to_get_it(cache, capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    table = rows(text)
    assert table.keys() == ENCODERS.keys()
    assert table["ecapa"] == ["voice", "192", "missing", "-", "embedding_model.ckpt"]
    assert table["ecapa-compact"][2] == "embedded"
    assert table["iresnet50"][:3] == ["face", "512", "missing"]
    assert "python -m features weights --download ecapa\n" in text
    assert "--download iresnet50" not in text
    assert str(cache / "iresnet50" / "backbone.pth") in text
    assert "non-commercial" in text


def test_what_is_here_is_verified_and_remembered(cache, capsys):
    path = put(cache, "iresnet18", "backbone.pth")
    assert main(["iresnet18"]) == 0
    assert rows(capsys.readouterr().out) == {
        "iresnet18": ["face", "512", "present", "seen", "first", "now", str(path)]
    }
    assert main(["iresnet18"]) == 0
    assert "as first seen" in capsys.readouterr().out
    path.write_bytes(b"changed")
    assert main(["iresnet18"]) == 1
    text = capsys.readouterr().out
    assert rows(text)["iresnet18"][2] == "damaged"
    assert "sha256 expected" in text


def test_damage_counts_even_when_nothing_was_asked_for(cache, capsys):
    put(cache, "ecapa", "embedding_model.ckpt")
    assert main([]) == 1
    assert rows(capsys.readouterr().out)["ecapa"][2:4] == ["damaged", "differs"]


def test_the_status_says_whether_all_that_was_asked_for_is_here(cache):
    put(cache, "iresnet18", "backbone.pth")
    assert main(["ecapa-compact", "iresnet18"]) == 0
    assert main(["ecapa-compact", "iresnet50"]) == 1


def test_a_download_is_fetched_once_and_listed(cache, fetched, capsys):
    assert main(["--download", "vggface2-resnet50"]) == 0
    assert main(["--download", "vggface2-resnet50"]) == 0
    assert len(fetched) == 1
    assert rows(capsys.readouterr().out)["vggface2-resnet50"][:3] == ["face", "2048", "present"]


def test_companions_are_fetched_with_their_encoder(cache, fetched, monkeypatch):
    published = ENCODERS["ecapa"].published
    unpinned = replace(published, files=tuple(replace(file, sha256=None) for file in published.files))
    registry.ENCODERS["ecapa"] = replace(ENCODERS["ecapa"], published=unpinned)
    assert main(["--download", "ecapa"]) == 0
    assert sorted(path.name for path in (cache / "ecapa").iterdir()) == [
        "embedding_model.ckpt",
        "embedding_model.ckpt.sha256",
        "mean_var_norm_emb.ckpt",
    ]


def test_what_cannot_be_done_is_status_2(cache, fetched, capsys):
    assert run_command(main, ["no-such-encoder"]) == 2
    assert "There are: ecapa," in capsys.readouterr().err
    assert run_command(main, ["--download", "iresnet50"]) == 2
    assert "put backbone.pth, from https://" in capsys.readouterr().err
    assert run_command(main, ["--offline", "--download", "ecapa-mfv"]) == 2
    assert "HF_HUB_OFFLINE forbids" in capsys.readouterr().err
    assert not fetched
    with pytest.raises(SystemExit) as caught:
        main(["--download", "ecapa-compact"])
    assert caught.value.code == 2


def test_own_encoders_are_listed(cache, capsys):
    register_encoder("own", rows, dimension=3, input=CropInput(pixels=8))
    assert main(["own"]) == 0
    assert rows(capsys.readouterr().out) == {"own": ["face", "3", "registered", "-", "-"]}


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "python -m features weights --download ecapa" in capsys.readouterr().out
