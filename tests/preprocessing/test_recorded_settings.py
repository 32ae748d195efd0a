"""From the provenance of a stage back to its settings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from preprocessing.embedded_diarizer import EmbeddedDiarizer
from preprocessing.face_settings import FaceSettings
from preprocessing.face_stage import face_provenance
from preprocessing.recorded_settings import recorded_faces, recorded_speech
from preprocessing.speech_settings import (
    CleaningSettings,
    DiarizationSettings,
    KeynoteDiarizerSettings,
    KeynoteSettings,
    PyannoteSettings,
    ResegmentationSettings,
    SpeechSettings,
    VoiceActivitySettings,
)
from preprocessing.speech_stage import speech_provenance
from src.core.config import config_mapping
from src.core.errors import ConfigError

UNUSUAL = SpeechSettings(
    activity=VoiceActivitySettings(margin_db=5.0),
    diarization=DiarizationSettings(hop_seconds=0.5),
    resegmentation=ResegmentationSettings(certain_margin=3.0),
    keynote=KeynoteSettings(keep_overlap=True),
    cleaning=CleaningSettings(clean="none", level_db=None),
    shortest_file_seconds=1.0,
)


class Described:
    """A diarizer of which only the description matters."""

    def __init__(self, description):
        self.description = lambda: description


def embedded(settings, resegments):
    networks = {
        "activity": config_mapping(settings.activity),
        "speaker_encoder": {"encoder": "ecapa", "weights_sha256": "ab"},
    }
    if resegments:
        networks["resegmentation"] = {**config_mapping(settings.resegmentation), "weights_sha256": "cd"}
    return EmbeddedDiarizer(settings.diarization, None, None, None, networks)


def through_json(settings, diarizer):
    return recorded_speech(json.loads(json.dumps(speech_provenance(settings, diarizer))), "config.json")


def test_the_embedded_diarizer_comes_back_with_its_encoder():
    found = through_json(UNUSUAL, embedded(UNUSUAL, resegments=True))
    assert (found.settings, found.encoder) == (UNUSUAL, "ecapa")
    without = replace(UNUSUAL, resegmentation=ResegmentationSettings(enabled=False))
    assert through_json(without, embedded(without, resegments=False)).settings == without


def test_the_other_diarizers_come_back_without_an_encoder():
    keynote = KeynoteDiarizerSettings(model=Path("elsewhere"), threshold=0.6)
    described = {**config_mapping(keynote), "name": "keynote", "weights_sha256": "ab"}
    del described["model"]
    found = through_json(SpeechSettings(diarizer="keynote"), Described(described))
    assert found.settings == SpeechSettings(diarizer="keynote", keynote_diarizer=replace(keynote, model=None))
    assert found.encoder is None
    described = {
        "name": "pyannote",
        "pipeline": "my-pipeline",
        "config": {},
        "sha256": {},
        "pause_seconds": 2.0,
    }
    found = through_json(SpeechSettings(diarizer="pyannote"), Described(described))
    assert found.settings.pyannote == PyannoteSettings(pipeline="my-pipeline")


def test_face_settings_come_back_with_and_without_an_encoder():
    settings = FaceSettings(crop="aligned", detection_side_pixels=320)
    assert recorded_faces(face_provenance(settings, None), "").settings == settings
    recorded = {
        **config_mapping(settings),
        "same_person_similarity": 0.5,
        "face_encoder": {"encoder": "vggface2", "weights_sha256": "ab"},
    }
    found = recorded_faces(recorded, "")
    assert found.settings == replace(settings, same_person_similarity=0.5)
    assert found.encoder == "vggface2"


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"diarizer": {"name": "embedded"}},
        {"diarizer": {"name": "another"}},
        {"diarizer": {"name": "pyannote"}, "loudness": 3},
    ],
)
def test_what_says_too_little_or_too_much_is_refused(provenance):
    with pytest.raises(ConfigError, match=r"config\.json"):
        recorded_speech(provenance, "config.json")
