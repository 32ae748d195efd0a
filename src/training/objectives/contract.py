"""What an objective is: the loss terms of a method, from the encodings of one batch.

A training step is

    tokens of a batch → model.encode_voices, model.encode_faces → EncodedBatch → objective → one scalar a term

and the loss is the weighted sum of the terms. An objective sees a batch as a whole: whoever trains in several processes
puts their encodings together, with gradient, before the objective (src/training/association_step.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from src.core.config import STRICT
from src.core.errors import ConfigError
from src.data.identity_sampler import BatchIdentities
from src.models.association import AssociationModel
from src.models.tokens import masked_token_mean
from src.training.batch_config import BatchConfig


@dataclass(frozen=True, kw_only=True)
class EncodedBatch(BatchIdentities):
    """A batch as an objective sees it.

    voices, faces: encodings, (V, T, width) and (F, S, width). voice_mask, face_mask: bool (V, T), (F, S).
    """

    voices: Tensor
    voice_mask: Tensor
    faces: Tensor
    face_mask: Tensor

    def vectors(self) -> tuple[Tensor, Tensor]:
        """Mean encoding of each item, voices (V, width) and faces (F, width)."""
        return masked_token_mean(self.voices, self.voice_mask), masked_token_mean(self.faces, self.face_mask)

    def matching_identities(self) -> Tensor:
        """Who each matching pair shows, int64 (pairs,), in the order of `matching`."""
        return self.voice_identities[self.matching()[0]]


class Objective(nn.Module, ABC):
    """The loss terms of a method. Its parameters (identity classifiers, centres) are trained along and not kept."""

    terms: tuple[str, ...]

    @abstractmethod
    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """Every term by name, unweighted, each a scalar with gradient."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig(ABC):
    """Settings of an objective; `name` chooses the class.

    weights: of every loss term by name; null for the published ones. A term of weight 0 is only logged.
    """

    __pydantic_config__ = STRICT
    TERMS: ClassVar[Mapping[str, float]]
    TRAINS: ClassVar[tuple[type[AssociationModel], ...]] = (AssociationModel,)

    name: str
    weights: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        weights = dict(self.TERMS) if self.weights is None else dict(self.weights)
        object.__setattr__(self, "weights", {name: float(value) for name, value in weights.items()})
        if set(weights) != set(self.TERMS):
            raise ValueError(
                f"weights must name the terms of {self.name}: {', '.join(self.TERMS) or 'none'}; "
                f"given: {', '.join(weights) or 'none'}"
            )
        if any(weight < 0 for weight in weights.values()):
            raise ValueError("weights of loss terms must not be negative")
        if weights and not any(weights.values()):
            raise ValueError("a loss term must have a weight above 0, or nothing is learned")

    @property
    def term_weights(self) -> tuple[float, ...]:
        """Weights in the order of the terms."""
        assert self.weights is not None, "filled in when it was made"
        return tuple(self.weights[name] for name in self.TERMS)

    def check_batch(self, batch: BatchConfig) -> None:  # noqa: B027 - most take any
        """Raise ValueError where the terms cannot be had from such batches."""

    def build(self, model: AssociationModel, identities: int, steps: int) -> Objective:
        """The objective of one member.

        identities: number of training identities. steps: the most steps of the training. Raises ConfigError where
        the model is not of a kind that this objective trains.
        """
        if not isinstance(model, self.TRAINS):
            kinds = " or ".join(kind.__name__ for kind in self.TRAINS)
            raise ConfigError(f"objective.name: {self.name!r} trains {kinds}, not {type(model).__name__}")
        objective = self.make(model, identities, steps)
        objective.terms = tuple(self.TERMS)
        return objective

    @abstractmethod
    def make(self, model: AssociationModel, identities: int, steps: int) -> Objective:
        """As `build`, for a model of the right kind."""
