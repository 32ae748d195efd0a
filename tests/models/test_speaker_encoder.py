import pytest
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.processing.features import InputNormalization

from src.core.config import parse_config
from src.core.errors import ConfigError
from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder, SpeakerEncoderConfig

TINY = SpeakerEncoderConfig(
    channels=(16, 16, 16, 16, 48),
    attention_channels=8,
    squeeze_channels=8,
    res2net_scale=4,
    dimension=12,
)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return SpeakerEncoder(TINY).eval()


def waveforms(batch, samples, seed=0):
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
def test_it_is_speechbrain_s_chain(encoder):
    sound = waveforms(3, 20_000)
    bands = Fbank(n_mels=80)(sound)
    centred = InputNormalization(norm_type="sentence", std_norm=False)(bands, torch.ones(3))
    expected = encoder.network(centred).squeeze(1)
    torch.testing.assert_close(encoder(sound), expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_batch_changes_nothing(encoder):
    sound = waveforms(4, 16_000)
    alone = torch.cat([encoder(row[None]) for row in sound])
    torch.testing.assert_close(encoder(sound), alone, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_the_level_of_a_recording_does_not_matter(encoder):
    sound = waveforms(2, 16_000)
    first, second = encoder(sound), encoder(0.3 * sound)
    assert torch.cosine_similarity(first, second).min() > 0.999


def test_zero_padding_would_change_the_vector(encoder):
    sound = waveforms(1, 16_000)
    padded = torch.cat([sound, torch.zeros(1, 16_000)], dim=1)
    with torch.inference_mode():
        assert torch.cosine_similarity(encoder(sound), encoder(padded)).item() < 0.99


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    encoder = SpeakerEncoder(TINY).train()
    (encoder(waveforms(4, 8_000)) * torch.randn(4, 12)).sum().backward()
    still = [name for name, weight in encoder.named_parameters() if weight.grad is None]
    assert not still


def test_published_widths():
    assert PUBLISHED_ECAPA.channels == (1024, 1024, 1024, 1024, 3072)
    assert (PUBLISHED_ECAPA.mel_bands, PUBLISHED_ECAPA.dimension) == (80, 192)


@pytest.mark.parametrize("mapping", [{"res2net_scale": 3}, {"dimension": 0}, {"chanels": [1]}])
def test_impossible_widths_are_refused(mapping):
    with pytest.raises(ConfigError, match=next(iter(mapping))):
        parse_config(SpeakerEncoderConfig, mapping, "test")
