import numpy as np
import pytest
import torch
from torch import nn

from src.encoders.contract import CropInput, Encoder, Provenance, WaveformInput


class Mean(nn.Module):
    def forward(self, batch):
        return batch.float().flatten(1).mean(dim=1, keepdim=True).double()


def encoder_of(modality, kind):
    return Encoder(
        name="mean",
        modality=modality,
        dimension=1,
        input=kind,
        provenance=Provenance(weights_path="-", weights_sha256="0", source="test"),
        network=Mean(),
        device=torch.device("cpu"),
    )


VOICE = encoder_of("voice", WaveformInput(shortest_seconds=0.5))
FACE = encoder_of("face", CropInput(pixels=8))


@pytest.mark.parametrize(
    "batch",
    [torch.zeros(16_000), torch.zeros(1, 16_000, dtype=torch.float64), torch.zeros(1, 7_999)],
    ids=["no batch", "double", "too short"],
)
def test_wrong_waveforms_are_refused(batch):
    with pytest.raises(ValueError, match="mean"):
        VOICE.embed(batch)


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(1, 3, 8, 8),
        torch.zeros(1, 3, 8, 9, dtype=torch.uint8),
        torch.zeros(3, 8, 8, dtype=torch.uint8),
    ],
    ids=["float", "not square", "no batch"],
)
def test_wrong_crops_are_refused(batch):
    with pytest.raises(ValueError, match="mean"):
        FACE.embed(batch)


def test_vectors_are_float32_and_need_no_gradient():
    vectors = VOICE.embed(torch.ones(2, 8_000))
    assert vectors.dtype == torch.float32
    assert not vectors.requires_grad
    assert vectors.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("side", [8, 16, 4])
def test_crops_are_brought_to_size_with_their_mean_kept(side):
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[:, :, 0], pixels[:, :, 2] = 200, 40
    crop = FACE.prepare_crop(pixels)
    assert crop.shape == (3, 8, 8)
    assert crop.dtype == torch.uint8
    assert crop[0].unique().tolist() == [200]
    assert crop[2].unique().tolist() == [40]
