"""Configurations of the encoders' training (configs/encoders/*.yaml)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from src.core.config import STRICT
from src.data.face_augmentation import FaceAugmentationConfig
from src.data.speech_augmentation import SpeechAugmentationConfig
from src.models.face_encoder import FaceEncoderConfig
from src.models.iresnet import INPUT_PIXELS
from src.models.speaker_encoder import SpeakerEncoderConfig
from src.training.encoder_networks import has_one_form


@dataclass(frozen=True, kw_only=True)
class AttributeConfig:
    """A second task beside telling identities apart: regress attributes of the identity.

    weight: its weight in the loss; 0 leaves it out.
    numeric, categorical: columns of CORPUS/identities.csv.
    """

    __pydantic_config__ = STRICT

    weight: float = 0.0
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"weight={self.weight} must not be negative")
        if self.weight > 0 and not self.numeric + self.categorical:
            raise ValueError("a weight without attributes; name some in numeric or categorical")


@dataclass(frozen=True, kw_only=True)
class OptimisationConfig:
    """The loop.

    epochs, steps_per_epoch, batch_size: an epoch is a number of steps, after which it is validated.
    learning_rate: peak of a one-cycle schedule (AdamW). weight_decay: of AdamW.
    warm_up_share: share of all steps in which the learning rate rises and the margin grows.
    scale, margin: of the additive angular margin loss.
    corpora_compete: whether an identity is told apart from those of other corpora too.
    gradient_norm: gradients are clipped to it.
    bfloat16: compute the network in bfloat16; quicker where the hardware has it, slower where not.
    """

    __pydantic_config__ = STRICT

    epochs: int = 10
    steps_per_epoch: int = 100
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_share: float = 0.2
    scale: float = 30.0
    margin: float = 0.2
    corpora_compete: bool = False
    gradient_norm: float = 5.0
    bfloat16: bool = True

    def __post_init__(self) -> None:
        if min(self.epochs, self.steps_per_epoch) < 1 or self.batch_size < 2:
            raise ValueError("epochs and steps_per_epoch must be at least 1, batch_size at least 2")
        if not 0 < self.warm_up_share < 1:
            raise ValueError(f"warm_up_share={self.warm_up_share} is not between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class SpeakerEncoderTrainingConfig:
    """How a speaker encoder is trained from CORPUS/speakers.

    recipe: which training this file is for.
    encoder: the registry's name for the result.
    start_from: checkpoint folder of an encoder with this network, whose training is gone on with, of a published network
        its published file too; null starts anew.
    seed: of the validation identities, the initial weights and every draw.
    validation_share: share of the identities that are kept for validation.
    crop_seconds: length of a training crop.
    speed_factors: speeds at which a crop is played; each makes new identities of all.
    corpus_weights: shares of the corpora in a batch, in the order of the command line; empty for equal ones.
    validation_crops, validation_seconds: crops of each validation identity, and their length.
    network: widths of the ECAPA-TDNN, null for the published ones of spkrec-ecapa-voxceleb; ecapa-mfv has none to choose.
    """

    __pydantic_config__ = STRICT

    recipe: Literal["speaker_encoder"]
    encoder: str
    start_from: Path | None = None
    seed: int = 0
    validation_share: float = 0.1
    crop_seconds: float = 2.0
    speed_factors: tuple[float, ...] = (1.0,)
    corpus_weights: tuple[float, ...] = ()
    validation_crops: int = 8
    validation_seconds: float = 4.0
    network: SpeakerEncoderConfig | None = None
    augmentation: SpeechAugmentationConfig = field(default_factory=SpeechAugmentationConfig)
    attributes: AttributeConfig = field(default_factory=AttributeConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)

    def __post_init__(self) -> None:
        if not self.speed_factors or self.speed_factors[0] != 1.0 or min(self.speed_factors) <= 0:
            raise ValueError("speed_factors must begin with 1.0 and be positive")
        if min(self.crop_seconds, self.validation_seconds) < 0.5 or self.validation_crops < 2:
            raise ValueError("crops must last 0.5 s or more, and validation_crops be at least 2")
        if not _has_widths(self.encoder, self.network):
            object.__setattr__(self, "network", SpeakerEncoderConfig())


@dataclass(frozen=True, kw_only=True)
class SpeakerWhiteningConfig:
    """How a trained speaker encoder is whitened, see src/training/speaker_whitening.py.

    recipe, encoder, seed, validation_share: as for a speaker encoder; with the same seed and corpora as in its training the
        same people are kept for validation.
    start_from: checkpoint folder of the encoder.
    crop_seconds: lengths of the crops of training speakers; of each length a speaker has `crops_per_speaker`.
    corpus_weights: of the corpora's statistics, in the order of the command line; empty for equal ones.
    augmentation: what is done to the crops, so that what a room or noise does to a voice is whitened too; null for nothing.
    shrinkage: added to the variance of each direction, as a share of the mean variance.
    validation_seconds: lengths of the pieces of validation speakers.
    """

    __pydantic_config__ = STRICT

    recipe: Literal["speaker_whitening"]
    encoder: str
    start_from: Path
    seed: int = 0
    validation_share: float = 0.1
    crop_seconds: tuple[float, ...] = (1.5, 3.0)
    crops_per_speaker: int = 8
    corpus_weights: tuple[float, ...] = ()
    augmentation: SpeechAugmentationConfig | None = None
    shrinkage: float = 0.1
    validation_seconds: tuple[float, ...] = (1.5, 3.0, 4.0)

    def __post_init__(self) -> None:
        if not self.crop_seconds or min(*self.crop_seconds, *self.validation_seconds) < 0.5:
            raise ValueError("crop_seconds needs a length, and every length is 0.5 s or more")
        if self.crops_per_speaker < 2:
            raise ValueError("crops_per_speaker must be at least 2")
        if self.shrinkage <= 0:
            raise ValueError("shrinkage must be above 0")
        if self.corpus_weights and (min(self.corpus_weights) < 0 or sum(self.corpus_weights) <= 0):
            raise ValueError("corpus_weights must not be negative, and one must be above 0")


@dataclass(frozen=True, kw_only=True)
class FaceEncoderTrainingConfig:
    """How a face encoder is trained from CORPUS/faces.

    recipe, encoder, start_from, seed, validation_share: as for a speaker encoder.
    cached_pixels: side at which crops are kept in memory, before augmentation moves them.
    network: widths of the compact face network, null for its own; iresnet18-mfv has none to choose.
    """

    __pydantic_config__ = STRICT

    recipe: Literal["face_encoder"]
    encoder: str
    start_from: Path | None = None
    seed: int = 0
    validation_share: float = 0.1
    cached_pixels: int = 112
    network: FaceEncoderConfig | None = None
    augmentation: FaceAugmentationConfig = field(default_factory=FaceAugmentationConfig)
    attributes: AttributeConfig = field(default_factory=AttributeConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)

    def __post_init__(self) -> None:
        if not _has_widths(self.encoder, self.network):
            object.__setattr__(self, "network", FaceEncoderConfig())
        if self.cached_pixels < self.input_pixels:
            raise ValueError(
                f"cached_pixels={self.cached_pixels} is below the network's input_pixels={self.input_pixels}"
            )

    @property
    def input_pixels(self) -> int:
        """Side of the crops that the network takes."""
        return INPUT_PIXELS if self.network is None else self.network.input_pixels


def _has_widths(encoder: str, widths: SpeakerEncoderConfig | FaceEncoderConfig | None) -> bool:
    """Whether the widths are given, or there are none to give. Raises ValueError for some that nothing would take."""
    if widths is not None and has_one_form(encoder):
        raise ValueError(f"{encoder} has a network of one form, and takes no section network")
    return widths is not None or has_one_form(encoder)
