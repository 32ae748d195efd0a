"""Settings of a training of an association head; configs/cafnet.yaml is one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """How the model's aligned inputs are fitted (src/models/canonical_correlation.py).

    principal_components: numbers kept of each modality before the canonical directions are sought.
    shrinkage: added to each principal variance, as a share of their mean.
    """

    __pydantic_config__ = STRICT

    principal_components: int
    shrinkage: float

    def __post_init__(self) -> None:
        if self.principal_components < 1 or self.shrinkage < 0:
            raise ValueError("principal_components must be at least 1 and shrinkage at least 0")


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """What a batch is made of; all of its voices meet all of its faces.

    identities: people in a batch; all of them when there are fewer.
    voices_per_identity, faces_per_identity: of each, from different videos. At least one of them must be 2,
        since the projection loss compares one person's pairs.
    voice_tokens, face_tokens: tokens drawn of each item at each step; the others are dropped (regularisation).
    """

    __pydantic_config__ = STRICT

    identities: int
    voices_per_identity: int
    faces_per_identity: int
    voice_tokens: int
    face_tokens: int

    def __post_init__(self) -> None:
        for name in ("voices_per_identity", "faces_per_identity", "voice_tokens", "face_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.identities < 2:
            raise ValueError("identities must be at least 2: without a second person nothing differs")
        if self.voices_per_identity * self.faces_per_identity < 2:
            raise ValueError("voices_per_identity or faces_per_identity must be at least 2")


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the loss terms and their settings; a term with weight 0 is only logged.

    pair: same or different, over all pairs of the batch. negative_ratio: weight of different against same pairs.
    contrastive: the right partner among the batch.
    identity: identity cross-entropy on the fused embeddings of matching pairs (FOP).
    orthogonal_projection: on the same embeddings (FOP); different_weight: of its different-identity part.
    label_smoothing: of the identity cross-entropy.
    """

    __pydantic_config__ = STRICT

    pair: float
    contrastive: float
    identity: float
    orthogonal_projection: float
    negative_ratio: float = 1.5
    different_weight: float = 0.7
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.pair, self.contrastive, self.identity, self.orthogonal_projection)
        if min(weights) < 0:
            raise ValueError("weights of loss terms must not be negative")
        if self.pair + self.contrastive == 0:
            raise ValueError("pair or contrastive must be above 0, or the similarity learns nothing")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW with a linear warm-up and a cosine decline to zero.

    learning_rate: the highest. weight_decay: of matrices; vectors (biases, norms) have none.
    warmup_steps: steps until the highest rate. gradient_clip: largest norm of the gradient.
    average_decay: of the exponential moving average of the weights, which is what is validated and kept;
        0 keeps the weights themselves.
    """

    __pydantic_config__ = STRICT

    learning_rate: float
    weight_decay: float
    warmup_steps: int
    gradient_clip: float
    average_decay: float

    def __post_init__(self) -> None:
        if (
            self.learning_rate <= 0
            or self.gradient_clip <= 0
            or self.weight_decay < 0
            or self.warmup_steps < 0
        ):
            raise ValueError(
                "learning_rate and gradient_clip must be above 0, weight_decay and warmup_steps not below"
            )
        if not 0.0 <= self.average_decay < 1.0:
            raise ValueError("average_decay must be at least 0 and below 1")


@dataclass(frozen=True, kw_only=True)
class ValidationConfig:
    """How the best step is chosen.

    folds: people are split into so many folds by the seed; member m holds out fold m, trains on the others.
    every_steps: steps between validations. patience: validations without a better mean EER until training
        ends early. items_per_identity: voices and faces of a person that take part, at most.
    """

    __pydantic_config__ = STRICT

    folds: int
    every_steps: int
    patience: int
    items_per_identity: int = 12

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError("folds must be at least 2, or nobody is left to validate on")
        if min(self.every_steps, self.patience, self.items_per_identity) < 1:
            raise ValueError("every_steps, patience and items_per_identity must be at least 1")


@dataclass(frozen=True, kw_only=True)
class AssociationConfig:
    """A whole training.

    recipe: "association". model: the model's mapping without the dimensions, which the stores give
    (src/models/registry.py). steps: the most steps of a member. fewest_identities: fewer people are an error.
    """

    __pydantic_config__ = STRICT

    recipe: Literal["association"]
    model: Mapping[str, Any]
    alignment: AlignmentConfig
    batch: BatchConfig
    loss: LossConfig
    optimizer: OptimizerConfig
    validation: ValidationConfig
    steps: int
    fewest_identities: int = 10

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError("steps must be at least 1")
        members = self.model.get("members", 1)
        if isinstance(members, int) and members > self.validation.folds:
            raise ValueError(
                f"model.members {members} is more than validation.folds {self.validation.folds}: each holds out its own"
            )
        if self.fewest_identities < 2 * self.validation.folds:
            raise ValueError(
                "fewest_identities must be at least 2 * validation.folds: a fold needs two people"
            )
