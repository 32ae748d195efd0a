"""AaSM: equilibrium loss and mined triplets across and within the modalities, weighted by identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.losses.aasm import AasmLoss, AasmSchedule
from src.models.association import AssociationModel
from src.models.two_branch import TwoBranchModel
from src.training.batch_config import BatchConfig
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig

PUBLISHED_STEPS = 27_000


@dataclass(frozen=True, kw_only=True)
class AasmObjectiveConfig(ObjectiveConfig):
    """See src/losses/aasm.py; what sets in when is scaled from the published 27,000 steps to those of the training.

    unit_anchors: whether anchors are normalised in the equilibrium loss; false as released.
    """

    TERMS: ClassVar[Mapping[str, float]] = {
        "cross": 1.0,
        "intra": 1.0,
        "triplet_cross": 10.0,
        "triplet_voice": 10.0,
        "triplet_face": 10.0,
    }
    TRAINS = (TwoBranchModel,)

    name: Literal["aasm"] = "aasm"
    unit_anchors: bool = True

    def check_batch(self, batch: BatchConfig) -> None:
        """See ObjectiveConfig."""
        if batch.voices_per_identity != 2 or batch.faces_per_identity != 2:
            raise ValueError(
                "batch.voices_per_identity and batch.faces_per_identity must be 2: a sample and a second one"
            )

    def make(self, model: AssociationModel, identities: int, steps: int) -> "AasmObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        loss = AasmLoss(identities, scaled_schedule(steps), unit_anchors=self.unit_anchors)
        return AasmObjective(loss)


def scaled_schedule(steps: int) -> AasmSchedule:
    """The published schedule, its 27,000 steps shrunk or stretched to `steps`."""
    published = AasmSchedule()
    return AasmSchedule(
        triplets_from=round(published.triplets_from * steps / PUBLISHED_STEPS),
        weights_from=round(published.weights_from * steps / PUBLISHED_STEPS),
        refresh_every=max(1, round(published.refresh_every * steps / PUBLISHED_STEPS)),
    )


class AasmObjective(Objective):
    """AaSM's terms on the first voice and face of every person, and on their second ones."""

    def __init__(self, loss: AasmLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:  # noqa: ARG002
        """See Objective."""
        voices, faces = (side.unflatten(0, (batch.people, 2)) for side in batch.vectors())
        labels = batch.voice_identities[::2]
        terms = self.loss(voices[:, 0], faces[:, 0], voices[:, 1], faces[:, 1], labels)
        return terms._asdict()
