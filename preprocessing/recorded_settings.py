"""From the provenance that a work folder records back to the settings that made it: the same media processing again.

The inverse of `speech_provenance` and `face_provenance`, but for the networks: whoever loads them again compares their
checksums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from preprocessing.face_settings import FaceSettings
from preprocessing.speech_settings import (
    KeynoteDiarizerSettings,
    PyannoteSettings,
    ResegmentationSettings,
    SpeechSettings,
)
from src.core.config import parse_config
from src.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RecordedSpeech:
    """Settings of the speech half, and the encoder that its diarizer tells speakers apart with (None: another way)."""

    settings: SpeechSettings
    encoder: str | None


@dataclass(frozen=True, kw_only=True)
class RecordedFaces:
    """Settings of the face half, and the encoder that tells people apart in a folder (None: nobody was compared)."""

    settings: FaceSettings
    encoder: str | None


def recorded_speech(provenance: Mapping[str, Any], source: str) -> RecordedSpeech:
    """What `speech_provenance` described; `source` names the record in errors. Raises ConfigError."""
    try:
        diarizer = dict(provenance["diarizer"])
        name = diarizer["name"]
        mapping = {"diarizer": name, **{key: value for key, value in provenance.items() if key != "diarizer"}}
        encoder = None
        if name == "embedded":
            encoder = diarizer["speaker_encoder"]["encoder"]
            mapping |= {"activity": diarizer["activity"], "diarization": diarizer["diarization"]}
            again = diarizer.get("resegmentation")
            mapping["resegmentation"] = _settings_of(ResegmentationSettings, again or {"enabled": False})
        elif name == "keynote":
            mapping["keynote_diarizer"] = _settings_of(KeynoteDiarizerSettings, diarizer)
        elif name == "pyannote":
            mapping["pyannote"] = _settings_of(PyannoteSettings, diarizer)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{source}: does not say how speech was preprocessed ({error!r} is missing)"
        ) from error
    return RecordedSpeech(settings=parse_config(SpeechSettings, mapping, source), encoder=encoder)


def recorded_faces(provenance: Mapping[str, Any], source: str) -> RecordedFaces:
    """What `face_provenance` described; `source` names the record in errors. Raises ConfigError."""
    encoder = provenance.get("face_encoder") or {}
    mapping = {key: value for key, value in provenance.items() if key != "face_encoder"}
    return RecordedFaces(
        settings=parse_config(FaceSettings, mapping, source), encoder=dict(encoder).get("encoder")
    )


def _settings_of(kind: type, description: Mapping[str, Any]) -> dict[str, Any]:
    """Those entries of a description that are settings."""
    names = {one.name for one in fields(kind)}
    return {key: value for key, value in description.items() if key in names}
