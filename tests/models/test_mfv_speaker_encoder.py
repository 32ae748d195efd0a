import pytest
import torch
from torch import nn

from src.models.mfv_speaker_encoder import MfvSpeakerEncoder, PreEmphasis, Res2Block


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return MfvSpeakerEncoder().eval()


@torch.inference_mode()
def test_it_is_the_published_network(golden, fill_from_seed):
    arrays = golden("mfv_ecapa")
    network = fill_from_seed(MfvSpeakerEncoder(), arrays)
    vectors = network(torch.from_numpy(arrays["waveform"]))
    torch.testing.assert_close(vectors, torch.from_numpy(arrays["embedding"]), rtol=1e-4, atol=0)


def test_pre_emphasis_by_hand():
    # Before the first sample stands the second: 1 - 0.97 * 2, then 2 - 0.97 * 1, 4 - 0.97 * 2.
    emphasised = PreEmphasis()(torch.tensor([[1.0, 2.0, 4.0]]))
    torch.testing.assert_close(emphasised, torch.tensor([[-0.94, 1.03, 2.06]]))


def test_mel_bands_have_no_mean_and_ten_millisecond_frames(encoder):
    bands = encoder.mel_bands(0.1 * torch.randn(2, 16_000))
    assert bands.shape == (2, 80, 101)
    torch.testing.assert_close(bands.mean(dim=2), torch.zeros(2, 80), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_the_last_group_of_a_block_is_not_convolved_and_each_other_one_feeds_the_next():
    block = Res2Block(16, dilation=1).eval()
    for convolution in block.convs:
        nn.init.zeros_(convolution.weight)
        nn.init.ones_(convolution.bias)
    for layer in (block.conv1, block.conv3):
        layer.weight.copy_(torch.eye(16)[:, :, None])
        nn.init.zeros_(layer.bias)
    gate = block.se.se[3]
    nn.init.zeros_(gate.weight)
    nn.init.constant_(gate.bias, 100.0)  # an open gate: its sigmoid is 1
    hidden = torch.rand(1, 16, 5)
    expected = hidden.clone() + torch.cat([torch.ones(1, 14, 5), hidden[:, 14:]], dim=1)
    torch.testing.assert_close(block(hidden), expected, rtol=1e-3, atol=1e-3)


@torch.inference_mode()
def test_a_batch_changes_nothing(encoder):
    sound = 0.1 * torch.randn(2, 8_000, generator=torch.Generator().manual_seed(1))
    alone = torch.cat([encoder(row[None]) for row in sound])
    torch.testing.assert_close(encoder(sound), alone, rtol=1e-4, atol=1e-5)
