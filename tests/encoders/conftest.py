"""Weights under the published names, made from the published classes with random values."""

import pytest
import torch
from facenet_pytorch import InceptionResnetV1

from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A folder that holds the published files of `ecapa` and `vggface2`."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(7)
    speaker = SpeakerEncoder(PUBLISHED_ECAPA)
    torch.save(speaker.network.state_dict(), folder / "embedding_model.ckpt")
    torch.save(
        {
            "count": 1000,
            "glob_mean": torch.randn(192),
            "glob_std": torch.ones(1),
            "spk_dict_mean": {},
            "spk_dict_std": {},
            "spk_dict_count": {},
        },
        folder / "mean_var_norm_emb.ckpt",
    )
    state = InceptionResnetV1(pretrained=None, classify=False).state_dict()
    state["logits.weight"], state["logits.bias"] = torch.zeros(8631, 512), torch.zeros(8631)
    torch.save(state, folder / "20180402-114759-vggface2.pt")
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of this project and an empty one of the hub."""
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def offline(cache, monkeypatch):
    """An empty cache, and no network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return cache
