"""Symmetric InfoNCE: of all faces of a batch, which is the voice's own, and the other way round."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.contrastive import ContrastiveLoss
from src.models.association import AssociationModel
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class InfoNceObjectiveConfig(ObjectiveConfig):
    """See src/losses/contrastive.py; the temperature is the model's own."""

    TERMS: ClassVar[Mapping[str, float]] = {"contrastive": 1.0}

    name: Literal["infonce"] = "infonce"

    def make(self, model: AssociationModel, identities: int, steps: int) -> "InfoNceObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        return InfoNceObjective()


class InfoNceObjective(Objective):
    """The contrast over every voice with every face of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = ContrastiveLoss()

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        similarity = model.grid_similarity(batch.voices, batch.voice_mask, batch.faces, batch.face_mask)
        return {"contrastive": self.loss(similarity, batch.same)}
