"""Voice encoders from files of the published names, keys and shapes."""

import shutil
from dataclasses import replace

import pytest
import torch

from src.artifacts.checkpoints import file_sha256
from src.core.errors import WeightsError
from src.encoders import published_files
from src.encoders.registry import load_encoder
from src.encoders.speaker_encoders import check_embedding_statistics
from src.models.mfv_speaker_encoder import MfvSpeakerEncoder
from src.models.speechbrain_classes import ECAPA_TDNN, Fbank


def waveforms(batch=2, samples=8_000):
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def mfv_state():
    torch.manual_seed(5)
    return MfvSpeakerEncoder().state_dict()


@pytest.fixture
def speechbrain_classifier(published):
    """SpeechBrain's EncoderClassifier as its published hyperparameters make it, with the published files."""
    from speechbrain.inference.classifiers import EncoderClassifier
    from speechbrain.processing.features import InputNormalization

    network = ECAPA_TDNN(
        80,
        channels=[1024, 1024, 1024, 1024, 3072],
        kernel_sizes=[5, 3, 3, 3, 1],
        dilations=[1, 2, 3, 4, 1],
        attention_channels=128,
        lin_neurons=192,
    )
    network.load_state_dict(torch.load(published / "embedding_model.ckpt", weights_only=True))
    statistics = InputNormalization(norm_type="global", std_norm=False)
    statistics._load_statistics_dict(torch.load(published / "mean_var_norm_emb.ckpt", weights_only=True))
    return EncoderClassifier(
        modules={
            "compute_features": Fbank(n_mels=80),
            "mean_var_norm": InputNormalization(norm_type="sentence", std_norm=False),
            "embedding_model": network,
            "classifier": torch.nn.Identity(),
        },
        hparams={"sample_rate": 16_000, "mean_var_norm_emb": statistics.eval(), "label_encoder": None},
    )


@torch.inference_mode()
def test_ecapa_gives_what_encode_batch_gives_by_default(published, speechbrain_classifier):
    vectors = load_encoder("ecapa", "cpu", published).embed(waveforms())
    expected = speechbrain_classifier.encode_batch(waveforms()).squeeze(1)
    torch.testing.assert_close(vectors, expected, rtol=1e-4, atol=1e-5)
    normalized = speechbrain_classifier.encode_batch(waveforms(), normalize=True).squeeze(1)
    assert (vectors - normalized).abs().max() > 0.1  # the statistics would have changed them


def test_published_ecapa_weights_load_by_their_real_names(published):
    path = published / "embedding_model.ckpt"
    encoder = load_encoder("ecapa", "cpu", published)
    given = torch.load(path, weights_only=True)
    assert all(
        torch.equal(value, given[name]) for name, value in encoder.network.network.state_dict().items()
    )
    assert encoder.description() == {
        "modality": "voice",
        "encoder": "ecapa",
        "dimension": 192,
        "weights_sha256": file_sha256(path),
        "weights_source": "speechbrain/spkrec-ecapa-voxceleb",
    }


def test_ecapa_loads_from_the_hub_s_cache(published, offline, tmp_path, monkeypatch):
    file = published_files.ECAPA.files[0]
    snapshot = (
        tmp_path
        / "hub"
        / "models--speechbrain--spkrec-ecapa-voxceleb"
        / "snapshots"
        / published_files.ECAPA.files[0].hub_revision
    )
    shutil.copytree(published, snapshot)
    (snapshot / "hyperparams.yaml").write_text("!!python/object/apply:os.system ['exit 1']")
    with pytest.raises(WeightsError, match=r"not the file that was published"):
        load_encoder("ecapa")
    random_values = replace(file, sha256=file_sha256(published / file.name))
    monkeypatch.setattr(published_files, "ECAPA", replace(published_files.ECAPA, files=(random_values,)))
    encoder = load_encoder("ecapa")
    assert encoder.provenance.weights_path == str(snapshot / "embedding_model.ckpt")
    assert not offline.exists()


@pytest.mark.parametrize(
    "statistics",
    [{"glob_mean": torch.zeros(512)}, {"glob_mean": torch.full((192,), torch.nan)}, {"count": 1}, [1]],
    ids=["another dimension", "not numbers", "no mean", "no dictionary"],
)
def test_statistics_of_another_encoder_are_refused(tmp_path, statistics):
    torch.save(statistics, tmp_path / "mean_var_norm_emb.ckpt")
    with pytest.raises(WeightsError, match="mixes files"):
        check_embedding_statistics(tmp_path / "mean_var_norm_emb.ckpt", 192)


def test_statistics_are_not_needed_but_must_fit_where_they_are(published, tmp_path):
    shutil.copy(published / "embedding_model.ckpt", tmp_path)
    load_encoder("ecapa", "cpu", tmp_path)
    (tmp_path / "mean_var_norm_emb.ckpt").write_bytes(b"cut")
    with pytest.raises(WeightsError, match=r"mean_var_norm_emb\.ckpt: not readable"):
        load_encoder("ecapa", "cpu", tmp_path)


def test_weights_of_another_network_are_refused(published):
    for name in ("ecapa", "ecapa-mfv"):
        with pytest.raises(WeightsError, match="do not fit the network"):
            load_encoder(name, "cpu", published / "20180402-114759-vggface2.pt")
    with pytest.raises(WeightsError, match="do not fit the network"):
        load_encoder("ecapa-mfv", "cpu", published / "embedding_model.ckpt")


def test_mfv_weights_load_from_each_published_form(mfv_state, tmp_path):
    torch.save(mfv_state, tmp_path / "ecapa.pt")
    prefixed = {f"speaker_encoder.{name}": value for name, value in mfv_state.items()}
    other = torch.zeros(3)
    torch.save({**prefixed, "speaker_loss.weight": other}, tmp_path / "pretrain.model")
    torch.save(
        {**prefixed, "face_encoder.fc.weight": other, "fusion_module.x": other, "loss.fc.weight": other},
        tmp_path / "seen.pt",
    )
    with torch.inference_mode():
        network = MfvSpeakerEncoder().eval()
        network.load_state_dict(mfv_state)
        expected = network(waveforms())
    for given in (tmp_path, tmp_path / "pretrain.model", tmp_path / "seen.pt"):
        encoder = load_encoder("ecapa-mfv", "cpu", given)
        torch.testing.assert_close(encoder.embed(waveforms()), expected, rtol=1e-4, atol=1e-5)
    assert expected.shape == (2, encoder.dimension)


def test_strange_parts_and_lost_keys_of_mfv_weights_are_refused(mfv_state, tmp_path):
    state = {f"speaker_encoder.{name}": value for name, value in mfv_state.items()}
    del state["speaker_encoder.bn6.bias"]
    torch.save({**state, "stray.weight": torch.zeros(1)}, tmp_path / "ecapa.pt")
    with pytest.raises(WeightsError) as caught:
        load_encoder("ecapa-mfv", "cpu", tmp_path)
    assert "1 missing: bn6.bias" in str(caught.value)
    assert "1 superfluous: stray.weight" in str(caught.value)
