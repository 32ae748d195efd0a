"""Settings of encoders that learn along with a head, from media; configs/aasm-media.yaml is one of them."""

from dataclasses import dataclass, field
from pathlib import Path

from src.artifacts.sources import Modality
from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class LearningEncoderConfig:
    """One of both encoders.

    encoder: its name; null for the one that `python -m features` would take. weights: to begin with; null for the
    encoder's own. train: whether it learns along; false leaves it as it is.
    """

    __pydantic_config__ = STRICT

    encoder: str | None = None
    weights: Path | None = None
    train: bool = True


@dataclass(frozen=True, kw_only=True)
class MediaEncodersConfig:
    """Both encoders, and what is drawn of their media.

    learning_rate: the encoders' highest; it takes the course of the head's.
    crop_seconds: length of a voice token: drawn anywhere in a recording, a shorter one goes round.
    crop_shift: largest move of a face crop, as a share of its side; every second one is mirrored besides.
    hop_seconds, most_windows: of a validation recording, the whole and its windows of `crop_seconds` are compared, as
    `python -m features` cuts them.
    """

    __pydantic_config__ = STRICT

    voice: LearningEncoderConfig = field(default_factory=LearningEncoderConfig)
    face: LearningEncoderConfig = field(default_factory=LearningEncoderConfig)
    learning_rate: float
    crop_seconds: float = 2.0
    crop_shift: float = 0.05
    hop_seconds: float = 1.0
    most_windows: int = 32

    def __post_init__(self) -> None:
        if not self.learning:
            raise ValueError(
                "voice.train or face.train must be true; where no encoder learns, train on embeddings, which is quicker"
            )
        if self.learning_rate <= 0:
            raise ValueError("learning_rate must be above 0; train: false leaves an encoder as it is")
        if self.crop_seconds < 0.5 or self.hop_seconds <= 0 or self.most_windows < 1:
            raise ValueError(
                "crop_seconds must be at least 0.5, hop_seconds above 0, most_windows at least 1"
            )
        if not 0.0 <= self.crop_shift < 0.5:
            raise ValueError("crop_shift must be at least 0 and below 0.5")

    @property
    def learning(self) -> tuple[Modality, ...]:
        """The modalities whose encoders learn."""
        sides: dict[Modality, LearningEncoderConfig] = {"voice": self.voice, "face": self.face}
        return tuple(modality for modality, side in sides.items() if side.train)
