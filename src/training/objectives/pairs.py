"""Binary cross-entropy of same and different pairs alone: MFV-KSD's verification and adaptation stages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.pair import PairLoss
from src.models.association import AssociationModel
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class PairsObjectiveConfig(ObjectiveConfig):
    """See src/losses/pair.py. negative_ratio: weight of different against same pairs; 1 is MFV-KSD's, half and half."""

    TERMS: ClassVar[Mapping[str, float]] = {"pair": 1.0}

    name: Literal["mfv"] = "mfv"
    negative_ratio: float = 1.0

    def make(self, model: AssociationModel, identities: int, steps: int) -> "PairsObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        return PairsObjective(PairLoss(self.negative_ratio))


class PairsObjective(Objective):
    """The pair loss over every voice with every face of the batch."""

    def __init__(self, loss: PairLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        similarity = model.grid_similarity(batch.voices, batch.voice_mask, batch.faces, batch.face_mask)
        return {"pair": self.loss(similarity, batch.same)}
