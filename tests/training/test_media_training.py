"""Encoders that learn along with a head: from media to a checkpoint whose encoders embed, and whose head scores."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch

import inference
import train
from features.__main__ import main as extract
from src.artifacts.checkpoints import LOG_FILE, load_checkpoint
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.trials import Trial, write_trials
from src.core.config import load_config
from src.core.errors import ConfigError, DatasetError, TrainingError, WeightsError
from src.data.speech_corpus import FULL_SCALE
from src.media.audio import write_audio
from src.models.aasm import Aasm
from src.models.media_model import MediaModel
from src.training.association_config import AssociationConfig
from src.training.association_member import Member
from src.training.association_step import AssociationStep
from src.training.media_inputs import MediaInputs
from src.training.resident_media import CropItems, MediaBatches, SpeechItems
from tests.training.made_up_media import write_small_encoders, write_work
from tests.training.test_resume import kill_after

RECIPE = """
recipe: association
model: {name: aasm, voice_hidden: 16, face_hidden: 16, width: 8}
objective: {name: aasm}
encoders:
  voice: {weights: VOICE}
  face: {weights: FACE}
  learning_rate: 5.0e-3
  crop_seconds: 0.5
  hop_seconds: 0.5
batch: {identities: 8, voices_per_identity: 2, faces_per_identity: 2, voice_tokens: 1, face_tokens: 1}
optimizer: {name: adamw, learning_rate: 1.0e-2, weight_decay: 0.0, average_decay: 0.5}
validation: {folds: 3, every_steps: 5, patience: 9, items_per_identity: 3}
steps: 20
fewest_identities: 6
"""
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A work folder in which media of the unheard language and of test people are gone, encoders, and a recipe."""
    folder = tmp_path_factory.mktemp("media")
    write_work(folder / "work")
    write_small_encoders(folder / "start")
    recipe = RECIPE.replace("VOICE", str(folder / "start/voice")).replace("FACE", str(folder / "start/face"))
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    for media in ("voice/clean", "face/crops"):
        for path in (folder / "work" / media).glob("*/Urdu"):
            shutil.move(path, folder / "hidden" / path.relative_to(folder))
    return folder


def run(place, out, *more, settings=(), language="English"):
    words = [str(place / "recipe.yaml"), "--media", str(place / "work"), "--language", language]
    sets = [word for setting in settings for word in ("--set", setting)]
    return train.main([*words, "--out", str(out), "--device", "cpu", *sets, *more])


@pytest.fixture(scope="module")
def trained(place):
    assert run(place, place / "run") == 0
    return load_checkpoint(place / "run")


def config_and_inputs(place, *settings, work=None):
    """The recipe's configuration, and its media, read."""
    config = load_config(AssociationConfig, place / "recipe.yaml", settings)
    inputs = MediaInputs(work or place / "work", "English", config.encoders, 6, CPU)
    inputs.read()
    return config, inputs


def test_the_loss_falls_and_both_encoders_learn_from_the_first_layer_on(place, trained):
    log = pd.read_csv(trained.folder / LOG_FILE)
    assert log["cross_loss"].iloc[-1] < 0.9 * log["cross_loss"].iloc[0]
    for modality in ("voice", "face"):
        before = load_checkpoint(place / "start" / modality).weights
        after = load_checkpoint(trained.folder / "encoders" / modality).weights
        assert before.keys() == after.keys()
        still = [name for name, tensor in before.items() if torch.equal(tensor, after[name])]
        assert not [name for name in still if before[name].ndim > 1], f"{modality}: {still}"


def test_what_it_leaves_says_how_it_was_made(trained):
    assert trained.config["left_out"] == {}, "media of the other language, which are gone, were not asked for"
    for modality in ("voice", "face"):
        described = trained.config["encoders"][modality]
        assert described["trained_language"] == "English"
        assert described["preprocessing"] == {"crop": "square"}
    assert trained.config["encoders"]["voice"]["tokens"]["window_seconds"] == 0.5
    assert set(trained.weights) == {
        f"members.0.{side}_head.{layer}.weight" for side in ("voice", "face") for layer in (0, 2)
    }


def test_features_of_the_new_encoders_are_what_the_head_was_validated_on_and_score(place, trained, tmp_path):
    words = [str(place / "work"), "--out", str(tmp_path), "--set", "window_seconds=0.5", "--workers", "1"]
    for modality in ("voice", "face"):
        words += [f"--{modality}-weights", str(trained.folder / "encoders" / modality)]
    # The other language's media are gone, which are failures.
    assert extract([*words, "--set", "hop_seconds=0.5", "--max-failures", "1"]) == 0
    start = trained.folder / "encoders"
    sets = [f"encoders.{side}.weights={start / side}" for side in ("voice", "face")]
    _, inputs = config_and_inputs(place, *sets)
    voices, faces = inputs.people(inputs.data.names).sequences(inputs.network(Aasm(12, 10)))
    for modality, sequences, items in (
        ("voice", voices, inputs.data.voices),
        ("face", faces, inputs.data.faces),
    ):
        store = EmbeddingStore.open(tmp_path / modality)
        assert store.information["weights_sha256"] == trained.config["encoders"][modality]["weights_sha256"]
        key = f"{modality}s/id00/English/2.{'wav' if modality == 'voice' else 'jpg'}"
        assert items.videos[:3].tolist() == [0, 0, 1], "the person's second file in order is their third"
        found = sequences.tokens[1][sequences.mask[1]].numpy()
        np.testing.assert_allclose(found, store.tokens(key), rtol=1e-4, atol=1e-5)
    write_trials(
        tmp_path / "list.txt", [Trial("t1", "voices/id00/English/0.wav", "faces/id01/English/1.jpg")]
    )
    words = ["score", "--checkpoint", str(trained.folder), "--features", str(tmp_path)]
    assert (
        inference.main([*words, "--trials", str(tmp_path / "list.txt"), "--out", str(tmp_path / "s.txt")])
        == 0
    )


def test_a_frozen_encoder_stays_as_it_was_and_is_not_written(place, tmp_path):
    settings = ["encoders.face.train=false", "steps=4", "validation.every_steps=2"]
    assert run(place, tmp_path, settings=settings) == 0
    checkpoint = load_checkpoint(tmp_path)
    start = load_checkpoint(place / "start/face")
    sha256 = checkpoint.config["encoders"]["face"]["weights_sha256"]
    assert not (tmp_path / "encoders/face").exists()
    assert "trained_language" not in checkpoint.config["encoders"]["face"]
    _, inputs = config_and_inputs(place, *settings)
    assert inputs.information["face"]["weights_sha256"] == sha256
    network = inputs.network(Aasm(12, 10)).train()
    assert not network.face_encoder.training
    assert network.voice_encoder.training
    network.encode_faces(torch.randint(0, 255, (2, 1, 3, 32, 32), dtype=torch.uint8))
    state = network.face_encoder.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in start.weights.items())
    assert {parameter.requires_grad for parameter in network.face_encoder.parameters()} == {False}


def test_the_gradient_of_every_term_reaches_both_first_layers(place):
    config, inputs = config_and_inputs(place)
    head = Aasm(12, 10, width=8)
    step = AssociationStep(inputs.network(head), config.objective.build(head, 9, 24)).train()
    batches = inputs.batches(inputs.people(inputs.data.names), config.batch, seed=0)
    terms = step(next(batches.draw(1)))
    first_layers = [
        step.model.voice_encoder.network.blocks[0].conv.conv.weight,
        step.model.face_encoder.maps[0].weight,
    ]
    for gradient in torch.autograd.grad(terms[0], first_layers):
        assert gradient.abs().max() > 0


def test_killed_and_resumed_it_ends_with_the_same_bits(place, tmp_path, monkeypatch):
    settings = ["steps=6", "validation.every_steps=2"]
    assert run(place, tmp_path / "whole", settings=settings) == 0
    with monkeypatch.context() as patched:
        kill_after(patched, 2)
        with pytest.raises(KeyboardInterrupt):
            run(place, tmp_path / "killed", settings=settings)
    assert run(place, tmp_path / "killed", "--resume", settings=settings) == 0
    for part in ("", "encoders/voice", "encoders/face"):
        whole, killed = (load_checkpoint(tmp_path / name / part).weights for name in ("whole", "killed"))
        assert all(torch.equal(killed[name], tensor) for name, tensor in whole.items())
    assert (tmp_path / "whole" / LOG_FILE).read_bytes() == (tmp_path / "killed" / LOG_FILE).read_bytes()


def test_files_that_cannot_be_read_are_left_out_and_named(place, tmp_path):
    shutil.copytree(place / "work", tmp_path / "work")
    (tmp_path / "work/voice/clean/id03/English/0.wav").unlink()
    (tmp_path / "work/face/crops/id04/English/1.jpg").write_bytes(b"no image")
    write_audio(tmp_path / "work/voice/clean/id05/English/2.wav", np.zeros(100, np.float32))
    _, inputs = config_and_inputs(place, work=tmp_path / "work")
    assert inputs.left_out == {
        "voices/id03/English/0.wav": "missing",
        "voices/id05/English/2.wav": "too_short",
        "faces/id04/English/1.jpg": "unreadable_image",
    }
    assert len(inputs.data.voices) == 9 * 3 - 2
    assert len(inputs.data.faces) == 9 * 3 - 1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["encoders.voice.train=false", "encoders.face.train=false"], ConfigError, "train on embeddings"),
        (["encoders.speed=1"], ConfigError, "speed: unknown key"),
        (["encoders.learning_rate=0"], ConfigError, "learning_rate must be above 0"),
        (["encoders.voice.encoder=ecapo"], ConfigError, "no such encoder"),
        (["encoders.voice.encoder=face-compact"], ConfigError, "an encoder of faces"),
        (["encoders.voice.weights=nowhere"], WeightsError, "missing or damaged: nowhere"),
        (["encoders.face.weights=START/voice"], WeightsError, "holds `ecapa-compact`, not the encoder"),
        (["encoders.face={encoder: iresnet18, weights: nowhere}"], WeightsError, "nowhere was given"),
        (["model.members=2"], ConfigError, "members must be 1"),
        (
            ["model={name: shared-space, width: 4, dropout: 0.1, canonical_width: 2}"],
            ConfigError,
            "fitted to vectors that stay",
        ),
        (["model.voice_dimension=7"], ConfigError, "encoder ecapa-compact holds vectors of 12 numbers"),
        (["fewest_identities=40"], TrainingError, "9 people have at least 2 voices"),
    ],
)
def test_errors_before_the_first_step(place, tmp_path, monkeypatch, settings, error, message):
    monkeypatch.setattr(Member, "train", lambda *_: pytest.fail("a step was taken"))
    settings = [setting.replace("START", str(place / "start")) for setting in settings]
    with pytest.raises(error, match=message):
        run(place, tmp_path, settings=settings)
    assert not list(tmp_path.iterdir())


def test_folders_and_languages_that_are_none(place, tmp_path):
    recipe, out = str(place / "recipe.yaml"), ["--language", "English", "--out", str(tmp_path / "out")]
    with pytest.raises(ConfigError, match="needs --media"):
        train.main([recipe, *out])
    with pytest.raises(ConfigError, match="takes no --features"):
        train.main([recipe, "--media", str(place / "work"), "--features", str(tmp_path), *out])
    with pytest.raises(ConfigError, match="takes one --media"):
        train.main([recipe, "--media", str(place / "work"), "--media", str(tmp_path), *out])
    with pytest.raises(DatasetError, match="no such folder"):
        train.main([recipe, "--media", str(tmp_path / "none"), *out])
    with pytest.raises(DatasetError, match=r"preprocessing\.json"):
        train.main([recipe, "--media", str(tmp_path), *out])
    with pytest.raises(TrainingError, match="in 'Hindi'; it has English, Urdu"):
        run(place, tmp_path / "out", language="Hindi")
    with pytest.raises(TrainingError, match="none of its recordings can be read"):
        run(place, tmp_path / "out", language="Urdu")


def test_an_encoder_that_has_learned_the_other_language_is_refused(place, tmp_path, monkeypatch):
    write_small_encoders(tmp_path, language="Urdu")
    message = r"voice encoder was trained on Urdu; .*unheard at every stage"
    monkeypatch.setattr(MediaInputs, "read", lambda _: pytest.fail("media were read"))
    with pytest.raises(ConfigError, match=message):
        run(place, tmp_path / "out", settings=[f"encoders.voice.weights={tmp_path / 'voice'}"])


def test_crops_lie_within_their_recording_and_short_ones_go_round():
    samples = torch.cat([torch.arange(100, 110), torch.arange(200, 203)]).short()
    items = SpeechItems(
        samples, torch.tensor([0, 10]), torch.tensor([10, 3]), torch.arange(2), torch.arange(2)
    )
    crops = items.crops(torch.tensor([0, 1]), 50, 4, torch.Generator().manual_seed(0)) * FULL_SCALE
    starts = crops[0, :, 0].round().long()
    assert set(starts.tolist()) == set(range(100, 107)), "every start that leaves room, and no other"
    torch.testing.assert_close(crops[0], starts[:, None] + torch.arange(4.0))
    torch.testing.assert_close(crops[1], torch.tensor([200.0, 201, 202, 200]).expand(50, 4))


def test_face_crops_are_mirrored_and_moved_and_their_border_repeated():
    crop = torch.arange(48, dtype=torch.uint8).reshape(1, 3, 4, 4)
    items = CropItems(crop, torch.tensor([0]), torch.tensor([0]), torch.tensor([0]))
    rows, generator = torch.tensor([0]), torch.Generator().manual_seed(0)
    still = items.moved(rows, 20, 0.0, generator)[0]
    assert {bool((one == crop[0]).all()) for one in still} == {True, False}
    assert all(torch.equal(one, crop[0]) or torch.equal(one, crop[0].flip(-1)) for one in still)
    moved = items.moved(rows, 200, 0.25, generator)[0]
    down = torch.cat([crop[0, :, :1], crop[0, :, :3]], dim=1)
    assert any(torch.equal(one, down) for one in moved), "one pixel down, the first line twice"


def test_media_that_are_not_on_the_device_are_brought_over_in_the_same_order(place):
    config, inputs = config_and_inputs(place)
    people = inputs.people(inputs.data.names)
    here, there = (
        MediaBatches(people, config.batch, seed=3, device=torch.device(name)) for name in ("cpu", "meta")
    )
    for own, other in zip(here.draw(3), there.draw(3), strict=True):
        assert other.voices.tokens.device.type == "meta"
        assert own.voices.tokens.shape == other.voices.tokens.shape == (16, 1, 8000)
    assert torch.equal(here.state_dict()["generator"], there.state_dict()["generator"])


def test_a_media_model_compares_as_its_head(place):
    _, inputs = config_and_inputs(place)
    head = Aasm(12, 10, width=8)
    model = MediaModel(head, inputs.voice.network, inputs.face.network, ("voice",)).eval()
    waveforms, crops = torch.randn(3, 2, 8000), torch.randint(0, 255, (4, 1, 3, 32, 32), dtype=torch.uint8)
    masks = torch.ones(3, 2, dtype=torch.bool), torch.ones(4, 1, dtype=torch.bool)
    with torch.no_grad():
        found = model.similarity_matrix(waveforms, masks[0], crops, masks[1])
        vectors = [inputs.voice.network(waveforms[:, token]) for token in range(2)]
        expected = head.similarity_matrix(
            torch.stack(vectors, dim=1), masks[0], inputs.face.network(crops[:, 0])[:, None], masks[1]
        )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
