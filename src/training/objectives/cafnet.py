"""CAFNet: same or different over all pairs, contrast in the batch, and FOP loss on the matching pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.losses.pair import PairLoss
from src.models.association import AssociationModel
from src.training.batch_config import BatchConfig
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class CafNetObjectiveConfig(ObjectiveConfig):
    """Pair loss (src/losses/pair.py), contrast (contrastive.py) and FOP loss (fop.py).

    negative_ratio: weight of all different pairs against all same pairs. different_weight: of the orthogonal
    projection's different-identity part. label_smoothing: of the identity cross-entropy.
    """

    TERMS: ClassVar[Mapping[str, float]] = {
        "pair": 1.0,
        "contrastive": 0.0,
        "identity": 0.1,
        "orthogonal_projection": 0.1,
    }

    name: Literal["cafnet"] = "cafnet"
    negative_ratio: float = 1.5
    different_weight: float = 0.7
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights and self.weights["pair"] + self.weights["contrastive"] == 0:
            raise ValueError("weights: pair or contrastive must be above 0, or the similarity learns nothing")

    def check_batch(self, batch: BatchConfig) -> None:
        """See ObjectiveConfig."""
        batch.require_repeated_identities()

    def make(self, model: AssociationModel, identities: int, steps: int) -> "CafNetObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        fop = FopLoss(model.fused_dimension, identities, self.different_weight, self.label_smoothing)
        return CafNetObjective(PairLoss(self.negative_ratio), fop)


class CafNetObjective(Objective):
    """All terms on one grid of comparisons, every voice with every face."""

    def __init__(self, pair: PairLoss, fop: FopLoss) -> None:
        super().__init__()
        self.pair, self.contrastive, self.fop = pair, ContrastiveLoss(), fop

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        similarity, fused = model.compare_all(batch.voices, batch.voice_mask, batch.faces, batch.face_mask)
        same = batch.same
        return {
            "pair": self.pair(similarity, same),
            "contrastive": self.contrastive(similarity, same),
            **self.fop(fused[batch.matching()], batch.matching_identities())._asdict(),
        }
