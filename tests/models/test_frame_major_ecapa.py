import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from src.models.frame_major_ecapa import FrameMajorSpeakerEncoder, Utterances
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

SAMPLE_RATE_HZ = 16_000


def speaker_encoder(channels=(24, 32, 32, 32, 64)):
    """A small network of random weights whose norms scale, turn and shift."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        encoder = SpeakerEncoder(
            SpeakerEncoderConfig(
                channels=channels, attention_channels=16, squeeze_channels=16, res2net_scale=4, dimension=24
            )
        )
        for layer in encoder.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.running_mean.normal_(0, 0.3)
                layer.running_var.uniform_(0.5, 2)
                nn.init.uniform_(layer.weight, -0.5, 1.5)
                nn.init.normal_(layer.bias, 0, 0.3)
    return encoder.eval().requires_grad_(False)


PUBLISHED = speaker_encoder()
OURS = FrameMajorSpeakerEncoder(PUBLISHED)
LOW = FrameMajorSpeakerEncoder(PUBLISHED, bfloat16=True)


def waveform(samples, seed):
    """Noise whose loudness moves over 80 dB, so that the floor of the decibels matters."""
    stream = torch.Generator().manual_seed(seed)
    loudness = 10 ** (-4 * torch.rand(1 + samples // 800, generator=stream)).repeat_interleave(800)[:samples]
    return loudness * torch.randn(samples, generator=stream)


def together(network, waveforms):
    padded = nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    return network(padded, [len(one) for one in waveforms])


def test_equal_lengths_give_the_published_class_s_vectors():
    waveforms = torch.stack([waveform(SAMPLE_RATE_HZ, seed) for seed in range(3)])
    torch.testing.assert_close(OURS(waveforms), PUBLISHED(waveforms), rtol=1e-5, atol=1e-5)


@settings(max_examples=15)
@given(st.lists(st.integers(8_000, 30_000), min_size=1, max_size=5))
def test_other_lengths_in_a_batch_change_nothing(lengths):
    waveforms = [waveform(samples, seed) for seed, samples in enumerate(lengths)]
    expected = torch.cat([PUBLISHED(one[None]) for one in waveforms])
    torch.testing.assert_close(together(OURS, waveforms), expected, rtol=1e-5, atol=2e-5)


def test_the_published_class_changes_with_padding():
    """What the batches above would suffer from."""
    waveforms = [waveform(30_000, 1), waveform(8_000, 2)]
    alone = PUBLISHED(waveforms[1][None])
    padded = PUBLISHED(nn.utils.rnn.pad_sequence(waveforms, batch_first=True))[1:]
    assert torch.cosine_similarity(alone, padded) < 0.999


def test_bfloat16_stays_close():
    waveforms = [waveform(samples, seed) for seed, samples in enumerate((8_000, 20_000, 32_000))]
    found, expected = together(LOW, waveforms), together(OURS, waveforms)
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected).min() >= 0.999
    assert not torch.equal(found, expected)


def test_a_shortest_recording_of_equal_widths():
    """Without a wider block there is no shortcut convolution."""
    encoder = speaker_encoder((32, 32, 32, 32, 32))
    found = FrameMajorSpeakerEncoder(encoder)(waveform(8_000, 5)[None])
    torch.testing.assert_close(found, encoder(waveform(8_000, 5)[None]), rtol=1e-5, atol=1e-5)


def test_frames_at_the_ends_of_an_utterance_are_mirrored():
    taps = Utterances([3, 4], torch.device("cpu")).taps(kernel=3, dilation=2).view(7, 3)
    assert taps.tolist() == [[2, 0, 2], [1, 1, 1], [0, 2, 0], [5, 3, 5], [4, 4, 6], [3, 5, 5], [4, 6, 4]]


def test_statistics_of_each_utterance():
    utterances = Utterances([1, 2], torch.device("cpu"))
    rows = torch.tensor([[1.0, 2.0], [3.0, -4.0], [5.0, 8.0]])
    assert utterances.sums(rows).tolist() == [[1, 2], [8, 4]]
    assert utterances.means(rows).tolist() == [[1, 2], [4, 2]]
    assert utterances.maxima(rows).tolist() == [[1, 2], [5, 8]]
    assert utterances.spread(torch.tensor([[7.0], [9.0]])).tolist() == [[7], [9], [9]]


def test_attention_far_apart_between_utterances_does_not_underflow():
    """Logits of one utterance 200 below another's: exp of the difference is 0 in float32."""
    encoder = speaker_encoder()
    pooling = encoder.network.asp
    nn.init.normal_(pooling.conv.conv.weight, 0, 60)
    waveforms = [waveform(12_000, 8), waveform(20_000, 9)]
    expected = torch.cat([encoder(one[None]) for one in waveforms])
    found = together(FrameMajorSpeakerEncoder(encoder), waveforms)
    assert torch.isfinite(found).all()
    assert torch.cosine_similarity(found, expected).min() > 0.9999


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_vectors():
    waveforms = [waveform(samples, seed) for seed, samples in enumerate((8_000, 20_000))]
    padded = nn.utils.rnn.pad_sequence(waveforms, batch_first=True).cuda()
    network = FrameMajorSpeakerEncoder(speaker_encoder()).cuda()
    found = network(padded, [len(one) for one in waveforms]).cpu()
    assert torch.cosine_similarity(found, together(OURS, waveforms)).min() > 0.9999
