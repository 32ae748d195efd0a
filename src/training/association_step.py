"""One training step of an association head: tokens of a batch in, one scalar a loss term out.

It is a module of its own, with the model and the objective inside, so that what trains in several processes can wrap
it whole. The objective needs the whole batch: `gather` is where encodings of other processes join this one's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from src.data.identity_sampler import BatchIdentities
from src.models.association import AssociationModel
from src.models.tokens import TokenSequences
from src.training.objectives.contract import EncodedBatch, Objective


@dataclass(frozen=True, kw_only=True)
class TokenBatch(BatchIdentities):
    """The tokens of a batch's voices and faces, and who they show."""

    voices: TokenSequences
    faces: TokenSequences


class BatchSource(Protocol):
    """Where batches come from: resident embeddings, or media that encoders embed along the way."""

    def draw(self, batches: int) -> Iterator[TokenBatch]:
        """The next batches."""

    def state_dict(self) -> dict[str, Any]:
        """What decides the batches to come, as tensors, numbers and text."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


class AssociationStep(nn.Module):
    """Encodes a batch and gives the objective's terms.

    gather: turns the encoded batch of this process into that of all processes; None where there is one.
    """

    def __init__(
        self,
        model: AssociationModel,
        objective: Objective,
        gather: Callable[[EncodedBatch], EncodedBatch] | None = None,
    ) -> None:
        super().__init__()
        self.model, self.objective, self.gather = model, objective, gather

    def forward(self, batch: TokenBatch) -> Tensor:
        """The unweighted loss terms in the order of `objective.terms`, float32 (terms,)."""
        encoded = EncodedBatch(
            people=batch.people,
            voice_identities=batch.voice_identities,
            face_identities=batch.face_identities,
            voices=self.model.encode_voices(batch.voices.tokens),
            voice_mask=batch.voices.mask,
            faces=self.model.encode_faces(batch.faces.tokens),
            face_mask=batch.faces.mask,
        )
        if self.gather is not None:
            encoded = self.gather(encoded)
        terms = self.objective(self.model, encoded)
        return torch.stack([terms[name].float() for name in self.objective.terms])
