from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from src.encoders.contract import Batch, CropInput, Encoder, Provenance, WaveformInput
from src.encoders.registry import load_encoder


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


class MeanOfEach(nn.Module):
    def forward(self, batch, sample_counts=None):
        counts = sample_counts or [batch.shape[1]] * len(batch)
        return torch.stack([one[:count].mean() for one, count in zip(batch, counts, strict=True)])[:, None]


MIXING = replace(VOICE, network=MeanOfEach(), mixes_lengths=True)


def test_batches_are_embedded_in_turn():
    batches = (Batch(media=torch.full((count, 8_000), float(count))) for count in (1, 3, 2))
    assert [vectors.tolist() for vectors in VOICE.embed_each(batches)] == [[[1]], [[3]] * 3, [[2]] * 2]
    assert list(VOICE.embed_each([])) == []


def test_waveforms_of_several_lengths_share_a_batch_where_the_network_can():
    waveforms = torch.ones(2, 16_000)
    waveforms[0, 8_000:] = 0
    [vectors] = MIXING.embed_each([Batch(media=waveforms, sample_counts=[8_000, 16_000])])
    assert vectors.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize(
    ("encoder", "counts", "message"),
    [
        (VOICE, [8_000, 16_000], "one length"),
        (MIXING, [8_000], "do not fit"),
        (MIXING, [8_000, 16_001], "do not fit"),
        (MIXING, [7_999, 16_000], "at least"),
    ],
    ids=["network", "number", "too long", "too short"],
)
def test_sample_counts_that_cannot_be_are_refused(encoder, counts, message):
    with pytest.raises(ValueError, match=message):
        list(encoder.embed_each([Batch(media=torch.zeros(2, 16_000), sample_counts=counts)]))


@pytest.mark.parametrize("name", ["ecapa-compact", "face-compact"])
def test_the_form_for_inference_gives_the_same_vectors(name):
    encoder = load_encoder(name)
    stream = torch.Generator().manual_seed(2)
    if name == "ecapa-compact":
        batch = 0.1 * torch.randn(3, 12_000, generator=stream)
    else:
        batch = torch.randint(256, (3, 3, 96, 96), generator=stream).to(torch.uint8)
    expected = encoder.embed(batch)
    found = encoder.for_inference().embed(batch)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    low = encoder.for_inference("bfloat16").embed(batch)
    assert torch.cosine_similarity(low, expected).min() >= 0.999
    assert not torch.equal(low, found)
    assert torch.equal(encoder.embed(batch), expected)


def test_a_network_of_another_kind_is_left_as_it_is():
    assert VOICE.for_inference() is VOICE
    assert VOICE.for_inference("bfloat16").embed(torch.ones(2, 8_000)).tolist() == [[1.0], [1.0]]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_gives_the_vectors_of_the_processor(precision):
    batches = [Batch(media=0.1 * torch.randn(count, 12_000)) for count in (2, 5, 3)]
    expected = torch.cat(list(load_encoder("ecapa-compact").embed_each(batches)))
    on_gpu = load_encoder("ecapa-compact", "cuda").for_inference(precision)
    found = torch.cat(list(on_gpu.embed_each(batches)))
    assert torch.cosine_similarity(found, expected).min() >= 0.999
