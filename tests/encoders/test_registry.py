import pytest
import torch
from torch import nn

from src.artifacts.checkpoints import load_checkpoint, save_checkpoint
from src.core.errors import ConfigError, WeightsError
from src.encoders import registry
from src.encoders.contract import CropInput, WaveformInput
from src.encoders.embedded_weights import EMBEDDED_FOLDER, embedded_dimension
from src.encoders.registry import (
    ENCODERS,
    FACE_ENCODERS,
    VOICE_ENCODERS,
    encoder_entry,
    load_encoder,
    register_encoder,
)


@pytest.fixture
def own_registry(monkeypatch):
    """A copy of the registry, so that what a test registers is gone after it."""
    monkeypatch.setattr(registry, "ENCODERS", dict(ENCODERS))


def loudness(waveforms):
    return waveforms.square().mean(dim=1, keepdim=True)


class Brightness(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, crops):
        return self.scale * crops.float().mean(dim=(2, 3))


def test_every_encoder_has_one_modality():
    assert set(VOICE_ENCODERS) == {"ecapa", "ecapa-mfv", "ecapa-compact"}
    assert set(FACE_ENCODERS) == {
        "vggface2",
        "vggface2-resnet50",
        "iresnet18",
        "iresnet50",
        "iresnet100",
        "iresnet18-mfv",
        "face-compact",
    }
    assert len(VOICE_ENCODERS) + len(FACE_ENCODERS) == len(ENCODERS)


def test_encoders_trained_on_aligned_crops_say_so():
    assert {name for name in ENCODERS if encoder_entry(name).crop == "aligned"} == {
        "iresnet18",
        "iresnet50",
        "iresnet100",
    }


def test_missing_weights_never_fall_back(offline):
    published = [name for name, entry in ENCODERS.items() if entry.published]
    assert len(published) == len(ENCODERS) - 2
    for name in published:
        with pytest.raises(WeightsError, match="three ways"):
            load_encoder(name)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="ecapa-compact"):
        load_encoder("ecappa")


@pytest.mark.parametrize("name", ["ecapa-compact", "face-compact"])
def test_embedded_dimensions_are_known_without_loading(name):
    assert embedded_dimension(name) == load_encoder(name).dimension
    assert embedded_dimension("no-such") is None


def test_damaged_embedded_weights_are_named(tmp_path):
    checkpoint = load_checkpoint(EMBEDDED_FOLDER / "face-compact")
    weights = {name: value for name, value in checkpoint.weights.items() if name != "neck.3.weight"}
    save_checkpoint(tmp_path, weights, checkpoint.config, {})
    with pytest.raises(WeightsError, match=r"1 missing: neck\.3\.weight"):
        load_encoder("face-compact", "cpu", tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(WeightsError, match="damaged"):
        load_encoder("face-compact", "cpu", tmp_path)


@pytest.mark.usefixtures("own_registry")
def test_a_function_becomes_a_voice_encoder():
    register_encoder("loudness", loudness, dimension=1, input=WaveformInput(shortest_seconds=0.1))
    assert "loudness" in VOICE_ENCODERS
    assert "loudness" not in FACE_ENCODERS
    encoder = load_encoder("loudness")
    assert encoder.embed(torch.full((2, 1600), 0.5)).tolist() == [[0.25], [0.25]]
    assert encoder.description()["weights_source"] == "test_registry.py, registered by the user"
    assert encoder.provenance.weights_path == __file__


@pytest.mark.usefixtures("own_registry")
def test_a_module_becomes_a_face_encoder():
    register_encoder("brightness", Brightness(), dimension=3, input=CropInput(pixels=8), crop="aligned")
    assert list(FACE_ENCODERS)[-1] == "brightness"
    assert encoder_entry("brightness").crop == "aligned"
    vectors = load_encoder("brightness").embed(torch.full((1, 3, 8, 8), 7, dtype=torch.uint8))
    assert vectors.tolist() == [[14.0, 14.0, 14.0]]


@pytest.mark.usefixtures("own_registry")
def test_impossible_registrations_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="already"):
        register_encoder("ecapa", loudness, dimension=1, input=WaveformInput())
    with pytest.raises(ConfigError, match="no file"):
        register_encoder("builtin", abs, dimension=1, input=WaveformInput())
    register_encoder("loudness", loudness, dimension=1, input=WaveformInput())
    with pytest.raises(ConfigError, match="takes no weights"):
        load_encoder("loudness", weights=tmp_path)
