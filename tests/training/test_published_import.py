"""Published checkpoints as checkpoint folders: they score what inference scores; foreign files are refused."""

from pathlib import Path

import pytest
import torch

import inference
import train
from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.embedding_store import EmbeddingStore, write_store_information
from src.core.errors import CheckpointError, WeightsError
from src.models.fop import fop_from_published_state
from tests.features.made_up_stores import DIMENSIONS, write_stores
from tests.models.test_fop import published_state

BASELINES = Path(__file__).resolve().parents[2] / "../shared/data/fame/baseline_checkpoints"


def import_published(path, features, out):
    arguments = [str(path), "--features", str(features), "--language", "English", "--out", str(out)]
    return train.main(["import-published", *arguments])


def test_it_scores_as_the_published_network_does(tmp_path):
    write_stores(tmp_path / "features")
    state = published_state(width=4, voice=DIMENSIONS["voice"], face=DIMENSIONS["face"])
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "published.pth.tar")
    out = tmp_path / "checkpoint"
    assert import_published(tmp_path / "published.pth.tar", tmp_path / "features", out) == 0
    assert load_checkpoint(out).config["published"]["identities"] == 2
    features, trials = tmp_path / "features", tmp_path / "features" / "English_test.txt"
    score = ["score", "--checkpoint", str(out), "--features", str(features), "--trials", str(trials)]
    assert inference.main([*score, "--out", str(tmp_path / "scores.txt")]) == 0
    model = fop_from_published_state(state).model
    stores = {modality: EmbeddingStore.open(features / modality) for modality in ("voice", "face")}
    for line, trial in zip(
        (tmp_path / "scores.txt").read_text().splitlines(), trials.read_text().splitlines(), strict=True
    ):
        _, voice, face = trial.split()
        with torch.no_grad():
            voices = model.embed_voices(torch.from_numpy(stores["voice"].primary(voice)[None])).tanh()
            faces = model.embed_faces(torch.from_numpy(stores["face"].primary(face)[None])).tanh()
        assert float(line.split()[1]) == pytest.approx(float((voices - faces).norm()), rel=1e-5)


def test_stores_of_other_dimensions_are_refused(tmp_path):
    write_stores(tmp_path / "features")
    torch.save({"state_dict": published_state(voice=5)}, tmp_path / "published.pth.tar")
    with pytest.raises(CheckpointError, match=r"takes voices of 5 numbers, but .* holds 6 \(voice-test\)"):
        import_published(tmp_path / "published.pth.tar", tmp_path / "features", tmp_path / "out")
    assert not (tmp_path / "out").exists()


class _Code:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": _Code()}, "never run"),
        ({"state_dict": [1]}, "no state dict"),
        ({"x": torch.ones(1)}, "x"),
    ],
)
def test_files_that_are_no_such_checkpoint_are_refused(tmp_path, capsys, content, message):
    write_stores(tmp_path / "features")
    torch.save(content, tmp_path / "published.pth.tar")
    with pytest.raises(WeightsError, match=message):
        import_published(tmp_path / "published.pth.tar", tmp_path / "features", tmp_path / "out")
    assert "run" not in capsys.readouterr().out
    with pytest.raises(WeightsError, match="no such file"):
        import_published(tmp_path / "absent", tmp_path / "features", tmp_path / "out")


@pytest.mark.parametrize("language", ["English", "Urdu"])
def test_the_official_baselines_are_imported(tmp_path, language):
    path = BASELINES / f"v1_{language}.pth.tar"
    if not path.exists():
        pytest.skip("../shared/data/fame is absent")
    for modality, dimension in (("voice", 512), ("face", 4096)):
        information = {"modality": modality, "encoder": "published", "dimension": dimension}
        write_store_information(tmp_path / modality, information)
    arguments = [str(path), "--features", str(tmp_path), "--language", language]
    assert train.main(["import-published", *arguments, "--out", str(tmp_path / "out")]) == 0
    config = load_checkpoint(tmp_path / "out").config
    assert (config["model"]["fusion"], config["published"]["identities"]) == ("gated", 64)
    assert config["language"] == language
