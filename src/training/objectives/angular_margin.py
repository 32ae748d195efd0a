"""Additive angular margin over identities: voices and faces of a person are drawn to one centre."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from src.losses.additive_angular_margin import AdditiveAngularMarginLoss
from src.models.association import AssociationModel
from src.models.two_branch import TwoBranchModel
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class AngularMarginObjectiveConfig(ObjectiveConfig):
    """See src/losses/additive_angular_margin.py. scale: s. margin: m, radians."""

    TERMS: ClassVar[Mapping[str, float]] = {"angular_margin": 1.0}
    TRAINS = (TwoBranchModel,)

    name: Literal["angular-margin"] = "angular-margin"
    scale: float = 30.0
    margin: float = 0.2

    def make(self, model: AssociationModel, identities: int, steps: int) -> "AngularMarginObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        loss = AdditiveAngularMarginLoss(
            classes=identities, dimension=model.fused_dimension, scale=self.scale, margin=self.margin
        )
        return AngularMarginObjective(loss)


class AngularMarginObjective(Objective):
    """One softmax over identities for both modalities."""

    def __init__(self, loss: AdditiveAngularMarginLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:  # noqa: ARG002
        """See Objective."""
        labels = torch.cat([batch.voice_identities, batch.face_identities])
        return {"angular_margin": self.loss(torch.cat(batch.vectors()), labels)}
