"""Whitening of what varies within a speaker: by hand, folded into the network, and as a command."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import train
from src.artifacts.checkpoints import load_checkpoint
from src.core.errors import ConfigError
from src.encoders.embedded_weights import EMBEDDED_FOLDER
from src.media.audio import write_audio
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig
from src.training.speaker_whitening import fold_into_last_layer, whitening, within_covariance

CONFIG = "configs/encoders/ecapa-compact-whitened.yaml"


def test_within_covariance_by_hand():
    """Two people, two items each: deviations (±1, 0) and (0, ±2), over 4 − 2 degrees of freedom."""
    vectors = np.array([[1.0, 5.0], [3.0, 5.0], [9.0, 0.0], [9.0, 4.0]])
    np.testing.assert_allclose(within_covariance(vectors, np.array([7, 7, 2, 2])), [[1.0, 0.0], [0.0, 4.0]])


def test_whitening_by_hand():
    """λ = 1 adds the mean variance 2.5: 1 + 2.5 and 4 + 2.5, whose inverse roots scale the directions."""
    matrix, offset = whitening(np.array([1.0, 2.0]), np.diag([1.0, 4.0]), 1.0)
    np.testing.assert_allclose(matrix, np.diag([3.5**-0.5, 6.5**-0.5]))
    np.testing.assert_allclose(offset, [-(3.5**-0.5), -2 * 6.5**-0.5])


@given(seed=st.integers(0, 1000), dimension=st.integers(2, 6))
def test_whitened_vectors_vary_alike_in_every_direction(seed, dimension):
    stream = np.random.default_rng(seed)
    people = np.repeat(np.arange(5), 8)
    turn = np.linalg.qr(stream.normal(size=(dimension, dimension)))[0]
    spread = stream.normal(size=(40, dimension)) * stream.uniform(0.5, 2.0, dimension)
    vectors = spread @ turn + people[:, None]
    matrix, offset = whitening(vectors.mean(axis=0), within_covariance(vectors, people), 1e-9)
    whitened = vectors @ matrix.T + offset
    np.testing.assert_allclose(within_covariance(whitened, people), np.eye(dimension), atol=1e-3)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-6)


def test_the_folded_network_gives_whitened_vectors():
    torch.manual_seed(0)
    network = SpeakerEncoder(SpeakerEncoderConfig(channels=(16, 16, 16, 16, 48), dimension=6)).eval()
    speech = torch.randn(3, 16_000)
    stream = np.random.default_rng(0)
    matrix, offset = stream.normal(size=(6, 6)), stream.normal(size=6)
    with torch.inference_mode():
        wanted = network(speech).numpy() @ matrix.T + offset
        fold_into_last_layer(network, matrix, offset)
        np.testing.assert_allclose(network(speech).numpy(), wanted, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six people, a pitch each."""
    folder, stream = tmp_path_factory.mktemp("speakers"), np.random.default_rng(1)
    for person in range(6):
        time_seconds = np.arange(24_000) / 16_000
        voice = 0.2 * np.sign(np.sin(2 * np.pi * (90 + 30 * person) * time_seconds))
        for take in range(2):
            write_audio(folder / f"p{person}/{take}.wav", voice + 0.02 * stream.standard_normal(24_000))
    return folder


def run(corpus, out, *settings, media=()):
    words = [CONFIG, "--out", str(out), "--device", "cpu"]
    words += [word for folder in (corpus, *media) for word in ("--media", str(folder))]
    settings = ("crop_seconds=[0.5]", "validation_seconds=[0.5]", "crops_per_speaker=3", *settings)
    return train.main(words + [word for setting in settings for word in ("--set", setting)])


def test_the_command_keeps_the_network_but_for_its_last_layer(corpus, tmp_path):
    assert run(corpus, tmp_path / "out", "corpus_weights=[]") == 0
    before, after = load_checkpoint(EMBEDDED_FOLDER / "ecapa-compact"), load_checkpoint(tmp_path / "out")
    changed = {
        name for name, tensor in after.weights.items() if not torch.equal(tensor, before.weights[name])
    }
    assert changed == {"fc.conv.weight", "fc.conv.bias"}
    assert len(after.config["identities"]["validation"]) == 2
    rates = after.metrics["validation_eer_of_pieces"]
    assert set(rates) == {"before", "after"}
    assert len(rates["after"]["0.5 s"]) == 1


def test_corpora_without_weight_are_not_counted(corpus, tmp_path):
    with pytest.raises(ConfigError, match="not one a --media"):
        run(corpus, tmp_path / "out", "corpus_weights=[0, 1]")
    with pytest.raises(ConfigError, match="one must be above 0"):
        run(corpus, tmp_path / "out", "corpus_weights=[0]")


def test_augmented_crops_are_whitened_and_measured_as_they_are(corpus, tmp_path):
    """Noise on every crop: another whitening than without, and error rates of clean and of augmented pieces."""
    run(corpus, tmp_path / "clean", "corpus_weights=[]", "augmentation=null")
    noisy = "augmentation={noise_probability: 1.0, signal_to_noise_db: [0.0, 3.0]}"
    assert run(corpus, tmp_path / "noisy", "corpus_weights=[]", noisy) == 0
    clean, changed = load_checkpoint(tmp_path / "clean"), load_checkpoint(tmp_path / "noisy")
    assert set(clean.metrics["validation_eer_of_pieces"]["after"]) == {"0.5 s"}
    assert set(changed.metrics["validation_eer_of_pieces"]["after"]) == {"0.5 s", "0.5 s, augmented"}
    assert not torch.allclose(clean.weights["fc.conv.weight"], changed.weights["fc.conv.weight"], atol=1e-3)
