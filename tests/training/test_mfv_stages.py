"""MFV-KSD's three stages from a work folder, one switch keeping the other language out of all of them; narrow networks."""

import logging
import shutil

import pytest
import torch

import train
from features.__main__ import main as extract
from src.artifacts.checkpoints import load_checkpoint
from src.core.errors import ConfigError, DatasetError, TrainingError, WeightsError
from src.core.files import write_text
from src.encoders.registry import load_encoder
from src.models import iresnet, mfv_speaker_encoder
from tests.training.made_up_media import write_work

LOGGER = logging.getLogger("src.data.identity_folders")
ENCODERS = {"voice": "ecapa-mfv", "face": "iresnet18-mfv"}
SHORT = [
    "optimisation.epochs=2",
    "optimisation.steps_per_epoch=3",
    "optimisation.batch_size=4",
    "optimisation.bfloat16=false",
    "validation_share=0.3",
]
SHORT_SPEECH = ["crop_seconds=0.5", "validation_seconds=0.5", "validation_crops=2"]
SHORT_HEAD = ["validation.folds=3", "steps=4", "validation.every_steps=2", "batch.identities=4"]


@pytest.fixture(scope="module")
def narrow():
    """The published networks with a fraction of their channels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mfv_speaker_encoder, "_CHANNELS", 64)
        patch.setattr(mfv_speaker_encoder, "_POOLED_CHANNELS", 96)
        patch.setattr(iresnet, "_STAGE_CHANNELS", (16, 16, 16, 16))
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory, narrow):
    """A work folder from which the other language's media are gone."""
    folder = tmp_path_factory.mktemp("stages")
    write_work(folder / "work")
    for media in ("voice/clean", "face/crops"):
        for path in (folder / "work" / media).glob("*/Urdu"):
            shutil.rmtree(path)
    return folder


def words_of(settings):
    return [word for setting in settings for word in ("--set", setting)]


def first_stage(place, modality, out, *more, language=("--language", "English"), media=None):
    settings = [*SHORT, *(SHORT_SPEECH if modality == "voice" else []), *more]
    recipe = f"configs/encoders/{ENCODERS[modality]}.yaml"
    words = [recipe, "--media", str(media or place / "work"), *language, "--device", "cpu"]
    return train.main([*words, "--out", str(out), *words_of(settings)])


@pytest.fixture(scope="module")
def encoders(place):
    """What the first stage leaves for each modality."""
    problems = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LOGGER, "warning", lambda *text: problems.append(text))
        for modality in ENCODERS:
            assert first_stage(place, modality, place / modality) == 0
    assert not problems, "media of the other language, which are gone, were opened"
    return {modality: place / modality for modality in ENCODERS}


@pytest.fixture(scope="module")
def features(place, encoders):
    words = [str(place / "work"), "--workers", "1", "--max-failures", "1"]
    for modality, name in ENCODERS.items():
        words += [f"--{modality}-encoder", name, f"--{modality}-weights", str(encoders[modality])]
    assert extract(words) == 0
    return place / "work/features"


def head(recipe, features, out, *settings, language="English"):
    words = [f"configs/{recipe}.yaml", "--features", str(features), "--language", language, "--device", "cpu"]
    fewer = ["fewest_identities=6", *SHORT_HEAD, *settings]
    return train.main([*words, "--out", str(out), *words_of(fewer)])


@pytest.mark.parametrize("modality", ENCODERS)
def test_the_first_stage_leaves_an_encoder_that_is_taken_by_its_name(encoders, modality):
    folder = encoders[modality]
    checkpoint = load_checkpoint(folder)
    assert checkpoint.config["language"] == "English"
    assert len(checkpoint.config["identities"]["validation"]) == 3
    assert 0 <= checkpoint.metrics["validation_eer_wild"] <= 1
    encoder = load_encoder(ENCODERS[modality], weights=folder)
    assert encoder.provenance.trained_language == "English"
    state = encoder.network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in checkpoint.weights.items())
    with pytest.raises(WeightsError, match=f"holds `{ENCODERS[modality]}`, not the encoder `ecapa`"):
        load_encoder("ecapa", weights=folder)


def test_three_stages_in_a_row_and_the_other_language_in_none(place, features, tmp_path):
    assert head("mfv", features, tmp_path / "second") == 0
    start = f"start_from={tmp_path / 'second'}"
    assert head("mfv-adaptation", features, tmp_path / "third", start) == 0
    for stage in ("second", "third"):
        described = load_checkpoint(tmp_path / stage).config["encoders"]
        assert {described[modality]["trained_language"] for modality in ENCODERS} == {"English"}
    # The language that was heard at the first stage is the one of them all.
    message = (
        r"the voice encoder was trained on Urdu; .* must be unheard at every stage\. Train it with --language"
    )
    for path in features.glob("*/store.json"):
        learned = path.read_text("utf-8").replace(
            '"trained_language": "English"', '"trained_language": "Urdu"'
        )
        write_text(tmp_path / "urdu" / path.relative_to(features), learned)
        shutil.copytree(path.parent / "tokens", tmp_path / "urdu" / path.parent.name / "tokens")
    with pytest.raises(ConfigError, match=message):
        head("mfv", tmp_path / "urdu", tmp_path / "out")


@pytest.mark.parametrize("modality", ENCODERS)
def test_it_begins_with_weights_of_its_network(place, encoders, modality, tmp_path):
    published = load_encoder(ENCODERS[modality], weights=encoders[modality]).network.state_dict()
    torch.save(published, tmp_path / "published.pt")
    still = ["optimisation.epochs=1", "optimisation.steps_per_epoch=1", "optimisation.learning_rate=1e-9"]
    for start in (encoders[modality], tmp_path / "published.pt"):
        first_stage(place, modality, tmp_path / start.stem, *still, f"start_from={start}")
        found = load_checkpoint(tmp_path / start.stem).weights
        trained = [name for name in found if "running" not in name]
        assert all(torch.allclose(found[name], published[name], atol=1e-6) for name in trained)


def test_bad_input_is_named(place, encoders, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match=r"holds several languages\. Name the one"):
        first_stage(place, "voice", out, language=())
    with pytest.raises(TrainingError, match="in 'Hindi'; it has English, Urdu"):
        first_stage(place, "voice", out, language=("--language", "Hindi"))
    with pytest.raises(DatasetError, match="no file can be decoded"):
        first_stage(place, "voice", out, language=("--language", "Urdu"))
    (tmp_path / "folders").mkdir()
    with pytest.raises(ConfigError, match="--language English chooses among the media of a work folder"):
        first_stage(place, "face", out, media=tmp_path / "folders")
    with pytest.raises(ConfigError, match="has a network of one form"):
        first_stage(place, "voice", out, "network={dimension: 64}")
    with pytest.raises(ConfigError, match="cached_pixels=96 is below the network's input_pixels=112"):
        first_stage(place, "face", out, "cached_pixels=96")
    with pytest.raises(WeightsError, match="nowhere was given"):
        first_stage(place, "face", out, "start_from=nowhere")
    config = (encoders["face"] / "config.json").read_text("utf-8")
    write_text(tmp_path / "urdu/config.json", config.replace('"language": "English"', '"language": "Urdu"'))
    shutil.copy(encoders["face"] / "model.safetensors", tmp_path / "urdu")
    with pytest.raises(
        ConfigError, match=r"start_from: .*urdu was trained on Urdu; .* unheard at every stage"
    ):
        first_stage(place, "face", out, f"start_from={tmp_path / 'urdu'}")
    assert not out.exists()
