"""Training of the compact encoders on a handful of made people."""

import numpy as np
import pandas as pd
import pytest
import torch

import train
from src.artifacts.checkpoints import load_checkpoint
from src.core.errors import CheckpointError, ConfigError, DatasetError, TrainingError
from src.encoders.registry import load_encoder
from src.media.audio import write_audio
from src.media.image import write_jpeg
from src.training.encoder_loop import EncoderTraining
from src.training.encoder_measures import attribute_correlations, pair_equal_error_rate
from src.training.encoder_task import EvenSampler

SHORT = ["optimisation.epochs=2", "optimisation.steps_per_epoch=3", "optimisation.batch_size=4"]
NO_ATTRIBUTES = ["attributes.weight=0", "attributes.numeric=[]"]
SMALL_VOICE = ["network.channels=[32,32,32,32,96]", "validation_crops=2", "validation_seconds=1.0"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Eight people: a voice is a pitch, a face is a colour."""
    folder = tmp_path_factory.mktemp("corpus")
    stream = np.random.default_rng(0)
    for person in range(8):
        for take in range(3):
            time_seconds = np.arange(40_000) / 16_000
            voice = 0.2 * np.sign(np.sin(2 * np.pi * (90 + 25 * person) * time_seconds))
            write_audio(
                folder / f"speakers/p{person}/{take}.wav", voice + 0.01 * stream.standard_normal(40_000)
            )
            face = np.full((64, 64, 3), 30 * person, np.uint8) + stream.integers(
                0, 20, (64, 64, 3), dtype=np.uint8
            )
            write_jpeg(folder / f"faces/p{person}/{take}.jpg", face)
    rows = [{"identity": f"p{person}", "height": person} for person in range(8)]
    pd.DataFrame(rows).to_csv(folder / "identities.csv", index=False)
    return folder


def run(config, corpus, out, *settings, media=()):
    words = [f"configs/encoders/{config}.yaml", "--out", str(out)]
    if config == "ecapa-compact":
        settings = (*SMALL_VOICE, *settings)
    words += [word for folder in (corpus, *media) for word in ("--media", str(folder))]
    return train.main(words + [word for setting in settings for word in ("--set", setting)])


@pytest.mark.parametrize("name", ["ecapa-compact", "face-compact"])
def test_a_trained_encoder_can_be_loaded_and_says_whom_it_never_saw(name, corpus, tmp_path):
    attributes = ["attributes.numeric=[height]", "validation_share=0.25"]
    assert run(name, corpus, tmp_path / name, *SHORT, *attributes) == 0
    checkpoint = load_checkpoint(tmp_path / name)
    assert len(checkpoint.config["identities"]["validation"]) == 2
    assert 0 <= checkpoint.metrics["validation_eer_wild"] <= 1
    assert "height" in checkpoint.metrics["attribute_correlation"]["clean"]
    assert len((tmp_path / name / "training_log.csv").read_text().splitlines()) == 3
    encoder = load_encoder(name, weights=tmp_path / name)
    assert encoder.dimension == 128


def test_the_same_seed_gives_the_same_weights(corpus, tmp_path):
    for folder in ("one", "two"):
        run("face-compact", corpus, tmp_path / folder, *SHORT, *NO_ATTRIBUTES)
    one, two = load_checkpoint(tmp_path / "one"), load_checkpoint(tmp_path / "two")
    assert all(torch.equal(tensor, two.weights[name]) for name, tensor in one.weights.items())


@pytest.mark.parametrize("name", ["ecapa-compact", "face-compact"])
def test_training_goes_on_from_a_checkpoint(name, corpus, tmp_path):
    run(name, corpus, tmp_path / "first", *SHORT, *NO_ATTRIBUTES)
    start = f"start_from={tmp_path / 'first'}"
    still = ["optimisation.epochs=1", "optimisation.steps_per_epoch=1", "optimisation.learning_rate=1e-9"]
    run(name, corpus, tmp_path / "second", *SHORT, *NO_ATTRIBUTES, start, *still)
    first, second = load_checkpoint(tmp_path / "first"), load_checkpoint(tmp_path / "second")
    trained = [key for key in first.weights if "running" not in key]
    assert all(torch.allclose(first.weights[key], second.weights[key], atol=1e-6) for key in trained)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        run(name, corpus, tmp_path / "third", *SHORT, *NO_ATTRIBUTES, f"start_from={tmp_path / 'none'}")


def test_missing_media_attributes_and_unknown_settings_are_named(corpus, tmp_path):
    with pytest.raises(DatasetError, match="0 identities with at least 1 files"):
        run("ecapa-compact", tmp_path, tmp_path / "out", *SHORT, *NO_ATTRIBUTES)
    with pytest.raises(DatasetError, match="weight_kg"):
        run("face-compact", corpus, tmp_path / "out", *SHORT, "attributes.numeric=[weight_kg]")
    with pytest.raises(ConfigError, match=r"optimisation\.epoch"):
        run("face-compact", corpus, tmp_path / "out", "optimisation.epoch=2")


def test_a_stopped_training_goes_on_and_ends_with_the_same_weights(corpus, tmp_path, monkeypatch):
    settings = [*SHORT, *NO_ATTRIBUTES]
    run("face-compact", corpus, tmp_path / "whole", *settings)
    record = EncoderTraining._record

    def stop_after_saving(self, epoch, *rest):
        if epoch == 2:
            raise KeyboardInterrupt
        record(self, epoch, *rest)

    monkeypatch.setattr(EncoderTraining, "_record", stop_after_saving)
    with pytest.raises(KeyboardInterrupt):
        run("face-compact", corpus, tmp_path / "stopped", *settings)
    monkeypatch.undo()
    state = tmp_path / "stopped" / "unfinished_training.pt"
    assert state.is_file()
    with pytest.raises(TrainingError, match="other settings"):
        run("face-compact", corpus, tmp_path / "stopped", *settings, "optimisation.margin=0.1")
    run("face-compact", corpus, tmp_path / "stopped", *settings)
    whole, resumed = load_checkpoint(tmp_path / "whole"), load_checkpoint(tmp_path / "stopped")
    assert all(torch.equal(tensor, resumed.weights[name]) for name, tensor in whole.weights.items())
    assert not state.exists()
    state.write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match="damaged"):
        run("face-compact", corpus, tmp_path / "stopped", *settings)


def test_corpora_with_and_without_attributes_train_together(corpus, tmp_path):
    stream = np.random.default_rng(1)
    for reader in range(4):
        write_audio(
            tmp_path / f"loose/{reader}-1-0000.flac", 0.1 * stream.standard_normal(40_000).astype(np.float32)
        )
    attributes = ["attributes.numeric=[height]", "validation_share=0.25"]
    out = tmp_path / "out"
    assert run("ecapa-compact", corpus, out, *SHORT, *attributes, media=[tmp_path / "loose"]) == 0
    checkpoint = load_checkpoint(out)
    assert len(checkpoint.config["identities"]["validation"]) == 4
    assert "height" in checkpoint.metrics["attribute_correlation"]["clean"]


def test_every_corpus_and_every_identity_comes_equally_often():
    item_identities = np.array([0] * 9 + [1, 2, 3, 4, 5, 6])
    sampler = EvenSampler(item_identities, corpora=np.array([0, 0, 1, 1, 1, 1, 1]))
    stream = np.random.default_rng(0)
    drawn = np.concatenate([item_identities[sampler.draw(4, stream)] for _ in range(2000)])
    shares = np.bincount(drawn, minlength=7) / len(drawn)
    assert shares[:2] == pytest.approx([0.25, 0.25], abs=0.01)
    assert shares[2:] == pytest.approx([0.1] * 5, abs=0.01)


def test_measures_by_hand():
    vectors = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [0.1, 3.0]])
    assert pair_equal_error_rate(vectors, np.array([0, 0, 1, 1])) == 0.0
    assert pair_equal_error_rate(vectors, np.array([0, 1, 0, 1])) > 0.4
    points = np.linspace(-1, 1, 12)[:, None] * np.array([[1.0, 2.0]])
    truth = pd.DataFrame({"length": points[:, 0] * 3})
    found = attribute_correlations(points[:8], truth[:8], points[8:], truth[8:])
    assert found["length"] == pytest.approx(1.0, abs=1e-3)
