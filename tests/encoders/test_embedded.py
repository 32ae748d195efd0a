"""The encoders that ship with the project."""

import numpy as np
import pytest
import torch

from src.core.errors import WeightsError
from src.encoders.embedded_weights import EMBEDDED_FOLDER
from src.encoders.registry import load_encoder


def test_they_are_small_and_described():
    files = [path for path in EMBEDDED_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000
    card = (EMBEDDED_FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "ecapa-compact" in card
    assert "face-compact" in card
    assert "keynote-compact" in card
    assert "CC BY 4.0" in card


def test_the_speaker_encoder_embeds():
    encoder = load_encoder("ecapa-compact")
    vectors = encoder.embed(torch.randn(4, 16_000) * 0.1)
    assert vectors.shape == (4, encoder.dimension)
    assert torch.isfinite(vectors).all()
    assert vectors.std(dim=0).max() > 0


def test_the_face_encoder_takes_crops_of_any_size():
    encoder = load_encoder("face-compact")
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    crops = torch.stack([encoder.prepare_crop(pixels), encoder.prepare_crop(pixels[:40, :40])])
    assert crops.shape == (2, 3, encoder.input.pixels, encoder.input.pixels)
    assert encoder.embed(crops).shape == (2, encoder.dimension)


@pytest.mark.parametrize(
    "batch",
    [torch.zeros(2, 100), torch.zeros(16_000), torch.zeros(2, 16_000, dtype=torch.float64)],
    ids=["too short", "no batch", "wrong type"],
)
def test_malformed_batches_are_refused(batch):
    with pytest.raises(ValueError, match="ecapa-compact"):
        load_encoder("ecapa-compact").embed(batch)


def test_a_folder_of_another_encoder_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="face-compact"):
        load_encoder("face-compact", weights=EMBEDDED_FOLDER / "ecapa-compact")
    with pytest.raises(WeightsError, match="missing or damaged"):
        load_encoder("face-compact", weights=tmp_path)
