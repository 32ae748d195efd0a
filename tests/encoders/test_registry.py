import pytest
import torch
from facenet_pytorch import fixed_image_standardization

from src.artifacts.checkpoints import file_sha256, load_checkpoint, save_checkpoint
from src.core.errors import ConfigError, WeightsError
from src.encoders.registry import EMBEDDED_FOLDER, ENCODERS, FACE_ENCODERS, VOICE_ENCODERS, load_encoder


def test_every_encoder_has_one_modality():
    assert set(VOICE_ENCODERS) == {"ecapa", "ecapa-compact"}
    assert set(FACE_ENCODERS) == {"vggface2", "face-compact"}
    assert set(VOICE_ENCODERS) | set(FACE_ENCODERS) == set(ENCODERS)


def test_published_ecapa_weights_load_by_their_real_names(published):
    path = published / "embedding_model.ckpt"
    encoder = load_encoder("ecapa", "cpu", published)
    given = torch.load(path, weights_only=True)
    assert all(
        torch.equal(value, given[name]) for name, value in encoder.network.network.state_dict().items()
    )
    vectors = encoder.embed(0.1 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(1)))
    assert vectors.shape == (2, 192)
    assert torch.isfinite(vectors).all()
    assert encoder.description() == {
        "modality": "voice",
        "encoder": "ecapa",
        "dimension": 192,
        "weights_sha256": file_sha256(path),
        "weights_source": "speechbrain/spkrec-ecapa-voxceleb",
    }


def test_published_vggface2_weights_load_by_their_real_names(published):
    path = published / "20180402-114759-vggface2.pt"
    encoder = load_encoder("vggface2", "cpu", path)
    inception = encoder.network.network
    given = torch.load(path, weights_only=True)
    assert all(torch.equal(value, given[name]) for name, value in inception.state_dict().items())
    images = torch.randint(256, (2, 3, 160, 160), dtype=torch.uint8)
    vectors = encoder.embed(images)
    assert vectors.shape == (2, 512)
    with torch.inference_mode():  # the published recipe, step by step
        expected = inception(fixed_image_standardization(images.float()))
    torch.testing.assert_close(vectors, expected, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_weights_of_another_network_are_refused(published):
    with pytest.raises(WeightsError, match=r"do not fit the network"):
        load_encoder("ecapa", "cpu", published / "20180402-114759-vggface2.pt")


def test_missing_weights_never_fall_back(offline):
    for name in ("ecapa", "vggface2"):
        with pytest.raises(WeightsError, match="three ways"):
            load_encoder(name)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="ecapa-compact"):
        load_encoder("ecappa")


def test_damaged_embedded_weights_are_named(tmp_path):
    checkpoint = load_checkpoint(EMBEDDED_FOLDER / "face-compact")
    weights = {name: value for name, value in checkpoint.weights.items() if name != "neck.3.weight"}
    save_checkpoint(tmp_path, weights, checkpoint.config, {})
    with pytest.raises(WeightsError, match=r"1 missing: neck\.3\.weight"):
        load_encoder("face-compact", "cpu", tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(WeightsError, match="damaged"):
        load_encoder("face-compact", "cpu", tmp_path)
