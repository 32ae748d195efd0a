"""What a checkpoint says of its media, and what is refused."""

import copy
import json
import logging

import pytest

from preprocessing.face_settings import FaceSettings
from preprocessing.speech_settings import SpeechSettings
from src.artifacts.checkpoints import Checkpoint
from src.core.config import config_mapping
from src.core.errors import CheckpointError
from src.raw_pairs.recipe import MediaRecipe

SPEECH = SpeechSettings(diarizer="keynote")
RECORDED = {
    "voice": {
        "modality": "voice",
        "encoder": "ecapa",
        "dimension": 192,
        "weights_sha256": "ab",
        "weights_source": "somebody",
        "tokens": {"window_seconds": 3.0, "batch_seconds": 8.0},
        "preprocessing": {
            "diarizer": {"name": "keynote", "threshold": 0.5, "weights_sha256": "12"},
            "keynote": config_mapping(SPEECH.keynote),
            "cleaning": config_mapping(SPEECH.cleaning),
            "shortest_file_seconds": 0.5,
        },
        "version": "0.1.0",
    },
    "face": {
        "modality": "face",
        "encoder": "vggface2",
        "dimension": 512,
        "weights_sha256": "cd",
        "weights_source": "somebody",
        "tokens": {},
        "preprocessing": {**config_mapping(FaceSettings()), "face_encoder": None},
        "version": "0.1.0",
    },
}


def recipe_of(tmp_path, recorded):
    return MediaRecipe.of(Checkpoint(tmp_path, {}, {"encoders": json.loads(json.dumps(recorded))}, {}))


def changed(place, value):
    recorded = copy.deepcopy(RECORDED)
    *above, last = place
    target = recorded
    for name in above:
        target = target[name]
    target[last] = value
    return recorded


def test_settings_and_encoders_come_from_the_checkpoint(tmp_path):
    recipe = recipe_of(tmp_path, RECORDED)
    assert recipe.encoder("voice") == "ecapa"
    assert recipe.tokens["voice"].window_seconds == 3.0
    assert recipe.speech.settings == SPEECH
    assert recipe.faces.settings == FaceSettings()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            ("voice",),
            {"encoder": "utterance", "dimension": 3},
            "does not say how its voices were made.*imported",
        ),
        (("face", "preprocessing", "sharpness"), 3, "another version of this program"),
        (("voice", "tokens", "hop_seconds"), "often", "tokens"),
    ],
)
def test_checkpoints_that_do_not_say_how(tmp_path, place, value, message):
    with pytest.raises(CheckpointError, match=message):
        recipe_of(tmp_path, changed(place, value))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("weights_sha256",), "ff"),
        (("encoder",), "another"),
        (("preprocessing", "diarizer", "weights_sha256"), "ff"),
        (("preprocessing", "diarizer", "name"), "pyannote"),
    ],
)
def test_other_networks_are_refused(tmp_path, place, value):
    made = changed(("voice", *place), value)["voice"]
    with pytest.raises(CheckpointError, match=rf"(?s){'.'.join(place)}: trained on .*--voice-weights PATH"):
        recipe_of(tmp_path, RECORDED).refuse_other_networks("voice", made, "--voice-weights PATH")


def test_other_settings_are_warned_of_and_places_are_not_looked_at(tmp_path, caplog):
    recipe = recipe_of(tmp_path, RECORDED)
    made = changed(("voice", "preprocessing", "cleaning", "trim"), True)["voice"]
    with caplog.at_level(logging.WARNING):
        recipe.refuse_other_networks("voice", changed(("voice", "weights_source"), "me")["voice"], "")
        assert not caplog.records
        recipe.refuse_other_networks("voice", made, "")
    assert "preprocessing.cleaning.trim: trained on False, found True" in caplog.text


def test_encoders_that_learned_along_lie_beside_the_head_and_tell_nobody_apart(tmp_path):
    recorded = copy.deepcopy(RECORDED)
    recorded["face"]["preprocessing"]["face_encoder"] = {"encoder": "vggface2", "weights_sha256": "ef"}
    recipe = recipe_of(tmp_path, recorded)
    assert recipe.encoder_weights("face", None) is None
    (tmp_path / "encoders" / "face").mkdir(parents=True)
    assert recipe.encoder_weights("face", None) == tmp_path / "encoders" / "face"
    assert recipe.encoder_weights("face", tmp_path / "given.pt") == tmp_path / "given.pt"
    assert not recipe.tells_apart_by_the_encoder("face")
    assert recipe.tells_apart_by_the_encoder("voice"), "another kind of diarizer has none"
    recorded["face"]["preprocessing"]["face_encoder"]["weights_sha256"] = "cd"
    assert recipe_of(tmp_path, recorded).tells_apart_by_the_encoder("face")


def test_tokens_that_a_checkpoint_does_not_state_do_not_differ(tmp_path, caplog):
    recorded = copy.deepcopy(RECORDED)
    made = {**recorded["voice"], "tokens": {**recorded["voice"]["tokens"], "most_windows": 9}}
    with caplog.at_level(logging.WARNING):
        recipe_of(tmp_path, recorded).refuse_other_networks("voice", made, "--voice-weights PATH")
    assert not caplog.records
