"""Weights under the published names, made from the published classes with random values."""

import pytest
import torch
from facenet_pytorch import InceptionResnetV1

from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A folder that holds both published files."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(7)
    speaker = SpeakerEncoder(PUBLISHED_ECAPA)
    torch.save(speaker.network.state_dict(), folder / "embedding_model.ckpt")
    state = InceptionResnetV1(pretrained=None, classify=False).state_dict()
    state["logits.weight"], state["logits.bias"] = torch.zeros(8631, 512), torch.zeros(8631)
    torch.save(state, folder / "20180402-114759-vggface2.pt")
    return folder


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """An empty cache, and no network."""
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache"
