"""All settings of preprocessing, as read from a YAML file with `--config`."""

from dataclasses import dataclass, field

from preprocessing.face_settings import FaceSettings
from preprocessing.speech_settings import SpeechSettings
from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class PreprocessingSettings:
    """Settings of both halves.

    speech: voice activity, diarization, the main speaker, cleaning.
    face: detection, choice, crops.
    """

    __pydantic_config__ = STRICT

    speech: SpeechSettings = field(default_factory=SpeechSettings)
    face: FaceSettings = field(default_factory=FaceSettings)
