"""PAEFF: FOP's terms on the fused embeddings of matching pairs, and the alignment of all pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.models.association import AssociationModel
from src.models.paeff import Paeff
from src.training.batch_config import BatchConfig
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class PaeffObjectiveConfig(ObjectiveConfig):
    """See src/models/paeff.py; which geometry aligns is a setting of the model.

    different_weight: of the orthogonal projection's different-identity part.
    """

    TERMS: ClassVar[Mapping[str, float]] = {
        "identity": 0.35,
        "orthogonal_projection": 0.35,
        "alignment": 0.30,
    }
    TRAINS = (Paeff,)

    name: Literal["paeff"] = "paeff"
    different_weight: float = 0.7

    def check_batch(self, batch: BatchConfig) -> None:
        """See ObjectiveConfig."""
        batch.require_repeated_identities()

    def make(self, model: AssociationModel, identities: int, steps: int) -> "PaeffObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        return PaeffObjective(FopLoss(model.fused_dimension, identities, self.different_weight))


class PaeffObjective(Objective):
    """PAEFF's terms; who is who decides what the alignment takes for a rival, not the place in the batch."""

    def __init__(self, fop: FopLoss) -> None:
        super().__init__()
        self.fop, self.contrastive = fop, ContrastiveLoss()

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        assert isinstance(model, Paeff)
        voices, faces = batch.vectors()
        matching_voices, matching_faces = batch.matching()
        fused = model.fuse(voices[matching_voices], faces[matching_faces])
        return {
            **self.fop(fused, batch.matching_identities())._asdict(),
            "alignment": self.contrastive(model.alignment(voices, faces), batch.same),
        }
