"""FOP: identity cross-entropy and orthogonal projection on the fused embeddings of matching pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.fop import FopLoss
from src.models.association import AssociationModel
from src.training.batch_config import BatchConfig
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class FopObjectiveConfig(ObjectiveConfig):
    """See src/losses/fop.py; α is the weight of the orthogonal projection.

    different_weight: of the projection's different-identity part. label_smoothing: of the identity cross-entropy.
    """

    TERMS: ClassVar[Mapping[str, float]] = {"identity": 1.0, "orthogonal_projection": 1.0}

    name: Literal["fop"] = "fop"
    different_weight: float = 0.7
    label_smoothing: float = 0.0

    def check_batch(self, batch: BatchConfig) -> None:
        """See ObjectiveConfig."""
        batch.require_repeated_identities()

    def make(self, model: AssociationModel, identities: int, steps: int) -> "FopObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        return FopObjective(
            FopLoss(model.fused_dimension, identities, self.different_weight, self.label_smoothing)
        )


class FopObjective(Objective):
    """FOP loss of every matching pair of the batch, whatever videos they come from."""

    def __init__(self, loss: FopLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        voices, faces = batch.matching()
        # condensed before they are repeated pair by pair
        voice, voice_mask = model.condense(batch.voices, batch.voice_mask)
        face, face_mask = model.condense(batch.faces, batch.face_mask)
        fused = model.compare(voice[voices], voice_mask[voices], face[faces], face_mask[faces]).fused
        return self.loss(fused, batch.matching_identities())._asdict()
