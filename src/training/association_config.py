"""Settings of a training of an association head; configs/best.yaml is one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from src.core.config import STRICT
from src.training.batch_config import BatchConfig
from src.training.media_config import MediaEncodersConfig
from src.training.objectives.registry import AnyObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """How canonical directions are fitted (src/models/canonical_correlation.py).

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
class OptimizerConfig:
    """The optimiser and its learning rate.

    name: adamw or sgd. learning_rate: the highest. weight_decay: of matrices; vectors (biases, norms) have none.
    momentum: of sgd. schedule: after a linear warm-up of `warmup_steps`, half a cosine down to 0 at the last step, a
    constant, or a step down by `step_factor` after each share of the steps in `step_at`. gradient_clip: largest norm of
    the gradient; null for none. average_decay: of the exponential moving average of the weights, which is what is
    validated and kept; 0 keeps the weights themselves. precision: of matrix products, float32 or bfloat16 (autocast).
    """

    __pydantic_config__ = STRICT

    name: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float
    weight_decay: float
    momentum: float | None = None
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    warmup_steps: int = 0
    step_at: tuple[float, ...] = ()
    step_factor: float = 0.1
    gradient_clip: float | None = None
    average_decay: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.weight_decay < 0 or self.warmup_steps < 0:
            raise ValueError("learning_rate must be above 0, weight_decay and warmup_steps not below")
        if self.gradient_clip is not None and self.gradient_clip <= 0:
            raise ValueError("gradient_clip must be above 0; null clips nothing")
        if not 0.0 <= self.average_decay < 1.0:
            raise ValueError("average_decay must be at least 0 and below 1")
        if (self.name == "sgd") != (self.momentum is not None):
            raise ValueError("momentum belongs to sgd, which needs it (0 for none)")
        if self.momentum is not None and not 0.0 <= self.momentum < 1.0:
            raise ValueError("momentum must be at least 0 and below 1")
        if (self.schedule == "step") != bool(self.step_at):
            raise ValueError(
                "step_at belongs to the schedule step, which needs it: shares such as [0.5, 0.8]"
            )
        if not all(0.0 < share < 1.0 for share in self.step_at) or not 0.0 < self.step_factor < 1.0:
            raise ValueError("step_at must be shares between 0 and 1, and step_factor lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class ValidationConfig:
    """How the best step is chosen.

    folds: people are split into so many folds by the seed; member m holds out fold m, trains on the others.
    every_steps: steps between validations. patience: validations without a better mean EER until training
        ends early. items_per_identity: voices and faces of a person that take part, at most.
    impostors_per_genuine: pairs of different people for each pair of one person, drawn evenly; all when there are fewer.
    """

    __pydantic_config__ = STRICT

    folds: int
    every_steps: int = 20
    patience: int = 4
    items_per_identity: int = 12
    impostors_per_genuine: int = 10

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError("folds must be at least 2, or nobody is left to validate on")
        for name in ("every_steps", "patience", "items_per_identity", "impostors_per_genuine"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")


@dataclass(frozen=True, kw_only=True)
class AssociationConfig:
    """A whole training.

    recipe: "association". model: the model's mapping; its dimensions are the stores' and need not be given
    (src/models/configurations.py). objective: the loss terms (src/training/objectives/). alignment: for models with
    canonical directions. batch, optimizer, steps (the most of a member): for objectives that are trained.
    encoders: what learns along with the head, from media; null for a head on embeddings.
    fewest_identities: fewer people are an error. start_from: a checkpoint of the same model to begin with, for
    adaptation.
    """

    __pydantic_config__ = STRICT

    recipe: Literal["association"]
    model: Mapping[str, Any]
    objective: AnyObjectiveConfig
    alignment: AlignmentConfig | None = None
    batch: BatchConfig | None = None
    optimizer: OptimizerConfig | None = None
    validation: ValidationConfig
    encoders: MediaEncodersConfig | None = None
    steps: int = 0
    fewest_identities: int = 10
    start_from: Path | None = None

    def __post_init__(self) -> None:
        if self.encoders is not None and (self.alignment is not None or not self.objective.TERMS):
            raise ValueError(
                "encoders that learn along take no closed form and no alignment, which are fitted to vectors that stay"
            )
        if not self.objective.TERMS:
            if self.batch or self.optimizer or self.steps or self.start_from:
                raise ValueError("a closed form takes no batch, optimizer, steps or start_from")
        elif self.batch is None or self.optimizer is None:
            raise ValueError(f"objective {self.objective.name} needs the sections batch and optimizer")
        elif self.steps < 1:
            raise ValueError("steps must be at least 1")
        else:
            self.objective.check_batch(self.batch)
        members = self.model.get("members", 1)
        if isinstance(members, int) and members > self.validation.folds:
            raise ValueError(
                f"model.members {members} is more than validation.folds {self.validation.folds}: each holds out its own"
            )
        if self.fewest_identities < 2 * self.validation.folds:
            raise ValueError(
                "fewest_identities must be at least 2 * validation.folds: a fold needs two people"
            )
