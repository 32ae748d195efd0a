"""CAFNet as released: a cross-entropy of two classes, and the loss that the release calls FOP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from src.losses.cafnet_published import CafNetPublishedLoss
from src.losses.pair import PairLoss
from src.models.association import AssociationModel
from src.models.cafnet_published import CafNetPublished
from src.training.batch_config import BatchConfig
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class CafNetPublishedObjectiveConfig(ObjectiveConfig):
    """See src/losses/cafnet_published.py. negative_ratio: different pairs drawn for each same pair, 1.5 as released."""

    TERMS: ClassVar[Mapping[str, float]] = {"pair": 1.0, "projection": 0.02, "contrast": 0.0}
    TRAINS = (CafNetPublished,)

    name: Literal["cafnet-published"] = "cafnet-published"
    negative_ratio: float = 1.5

    def check_batch(self, batch: BatchConfig) -> None:
        """See ObjectiveConfig."""
        if batch.voice_tokens != 1 or batch.face_tokens != 1:
            raise ValueError(
                "batch.voice_tokens and batch.face_tokens must be 1: the release compares single vectors"
            )

    def make(self, model: AssociationModel, identities: int, steps: int) -> "CafNetPublishedObjective":  # noqa: ARG002
        """See ObjectiveConfig."""
        return CafNetPublishedObjective(self.negative_ratio)


class CafNetPublishedObjective(Objective):
    """As released: every matching pair, and for each of them `negative_ratio` pairs of two people.

    Negatives are taken evenly from all pairs of different people, and the contrast from one pair a person, so that
    it has no false negative.
    """

    def __init__(self, negative_ratio: float) -> None:
        super().__init__()
        self.negative_ratio = negative_ratio
        self.pair, self.released = PairLoss(negative_ratio), CafNetPublishedLoss()

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:
        """See Objective."""
        assert isinstance(model, CafNetPublished)
        voices, faces = self._pairs(batch)
        voice, face = batch.voices[voices, 0], batch.faces[faces, 0]
        attended_voice, attended_face = model.attended(voice, face)
        similarity, fused = model.combine(voice, face)
        matching = len(batch.matching()[0])
        each = torch.arange(0, matching, matching // batch.people, device=voices.device)
        return {
            "pair": self.pair(similarity, batch.voice_identities[voices] == batch.face_identities[faces]),
            "projection": self.released(attended_voice, attended_face, fused).projection,
            "contrast": self.released(attended_voice[each], attended_face[each], fused[each]).contrast,
        }

    def _pairs(self, batch: EncodedBatch) -> tuple[Tensor, Tensor]:
        """Places of the voices and faces of all matching pairs, then of the different ones."""
        voices, faces = batch.matching()
        wanted = round(self.negative_ratio * len(voices))
        per_person = len(batch.face_identities) // batch.people
        # shift s pairs a voice with the face that stands s people further on, which is somebody else's
        shift = 1 + torch.arange(wanted, device=voices.device) % (batch.people - 1)
        place = torch.arange(wanted, device=voices.device) % len(voices)
        others = (faces[place] + shift * per_person) % len(batch.face_identities)
        return torch.cat([voices, voices[place]]), torch.cat([faces, others])
