import pytest
import torch

from src.models.keynote_network import KeynoteNetwork, KeynoteNetworkConfig, conversation_features
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

SMALL_ENCODER = SpeakerEncoderConfig(
    mel_bands=40,
    channels=(16, 16, 16, 16, 48),
    attention_channels=8,
    squeeze_channels=8,
    res2net_scale=2,
    dimension=12,
)
SMALL = KeynoteNetworkConfig(width=16, layers=2, heads=2, detail_channels=8)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return SpeakerEncoder(SMALL_ENCODER).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return KeynoteNetwork(SMALL, bands=40, channels=48, dimension=12).eval().requires_grad_(False)


def test_pooling_all_frame_features_is_embedding_the_bands(encoder):
    bands = encoder.mel_bands(0.1 * torch.randn(2, 16_000))
    assert torch.allclose(
        encoder.pool(encoder.frame_features(bands)), encoder.embed_mel_bands(bands), atol=1e-5
    )


def test_features_are_ten_frames_a_token_and_vectors_have_length_one(encoder):
    features = conversation_features(encoder, 0.1 * torch.randn(2, 3 * 16_000))
    tokens = features.tokens.shape[1]
    assert tokens == 30
    assert features.bands.shape == (2, 10 * tokens, 40)
    assert features.vectors.shape == (2, tokens, 12)
    assert torch.allclose(features.vectors.norm(dim=2), torch.ones(2, tokens), atol=1e-5)


def test_conversations_of_a_batch_do_not_touch_each_other(encoder, network):
    waveforms = 0.1 * torch.randn(2, 2 * 16_000)
    prompts = torch.nn.functional.normalize(torch.randn(2, 12), dim=1)
    together = network(conversation_features(encoder, waveforms), prompts)
    alone = network(conversation_features(encoder, waveforms[1:]), prompts[1:])
    assert together.shape == (2, 200, 2)
    assert torch.allclose(together[1:], alone, atol=1e-5)


def test_a_prompt_changes_the_answer_and_its_absence_is_an_answer_of_its_own(encoder, network):
    features = conversation_features(encoder, 0.1 * torch.randn(1, 2 * 16_000))
    one, other = torch.nn.functional.normalize(torch.randn(2, 1, 12), dim=2)
    nobody = torch.zeros(1, 12)
    answers = [network(features, prompt) for prompt in (one, other, nobody)]
    assert not torch.allclose(answers[0], answers[1])
    assert not torch.allclose(answers[0], answers[2])


def test_odd_widths_are_refused():
    with pytest.raises(ValueError, match="width"):
        KeynoteNetworkConfig(width=30, heads=4)
