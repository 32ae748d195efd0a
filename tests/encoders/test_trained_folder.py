"""What a training writes of an encoder is taken wherever its weights are given, and gives the same vectors."""

import json

import pytest
import torch

from src.artifacts.checkpoints import WEIGHTS_FILE, file_sha256
from src.core.errors import WeightsError
from src.encoders.contract import CropInput, Encoder, Provenance, WaveformInput
from src.encoders.registry import ENCODERS, load_encoder
from src.encoders.trained_folder import find_trained_folder, save_trained_folder
from src.models.inception_face_encoder import InceptionFaceEncoder
from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder
from src.models.vggface2_resnet import VggFace2Resnet

PREFIX = "network."
MADE = {
    "ecapa": (lambda: SpeakerEncoder(PUBLISHED_ECAPA), WaveformInput()),
    "vggface2": (InceptionFaceEncoder, CropInput(pixels=160)),
    "vggface2-resnet50": (VggFace2Resnet, CropInput(pixels=224)),
}


def made_encoder(name):
    """As `load_encoder` gives it, with weights that are drawn."""
    torch.manual_seed(0)
    network, medium = MADE[name][0](), MADE[name][1]
    return Encoder(
        name=name,
        modality=ENCODERS[name].modality,
        dimension=ENCODERS[name].dimension,
        input=medium,
        provenance=Provenance(weights_path="-", weights_sha256="0", source="test"),
        network=network.eval(),
        device=torch.device("cpu"),
        weights_prefix=PREFIX,
    )


@pytest.mark.parametrize("name", MADE)
def test_published_networks_come_back_with_the_weights_that_were_written(name, tmp_path):
    encoder = made_encoder(name)
    save_trained_folder(tmp_path, encoder, encoder.network.state_dict(), {"language": "Urdu"}, {"eer": 0.1})
    for given in (tmp_path, tmp_path / WEIGHTS_FILE):
        found = load_encoder(name, weights=given)
        assert found.weights_prefix == PREFIX
        assert found.description()["weights_sha256"] == file_sha256(tmp_path / WEIGHTS_FILE)
        assert found.description()["trained_language"] == "Urdu"
    if isinstance(encoder.input, CropInput):
        batch = torch.randint(0, 255, (1, 3, encoder.input.pixels, encoder.input.pixels), dtype=torch.uint8)
    else:
        batch = torch.randn(1, 8000)
    assert torch.equal(found.embed(batch), encoder.embed(batch))


def test_folders_of_others_and_damaged_ones_are_named(tmp_path):
    assert find_trained_folder("ecapa", tmp_path) is None
    (tmp_path / WEIGHTS_FILE).write_bytes(b"cut")
    assert find_trained_folder("ecapa", tmp_path) is None, "no checkpoint without its configuration"
    (tmp_path / "config.json").write_text(json.dumps({"encoder": "ecapa"}))
    assert find_trained_folder("ecapa", tmp_path).language is None
    with pytest.raises(WeightsError, match=r"model\.safetensors: damaged, or not a safetensors file"):
        load_encoder("ecapa", weights=tmp_path)
    with pytest.raises(WeightsError, match="holds `ecapa`, not the encoder `vggface2`"):
        load_encoder("vggface2", weights=tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"config\.json: damaged"):
        load_encoder("ecapa", weights=tmp_path)
