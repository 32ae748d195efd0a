"""One training step of an association head: tokens of a batch in, one scalar a loss term out.

It is a module of its own, with the model and the objective inside, so that what trains in several processes can wrap
it whole. Each process encodes its own people of the batch; the objective sees them all (processes.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from src.data.identity_sampler import BatchIdentities
from src.models.association import AssociationModel
from src.models.media_model import head_of
from src.models.tokens import TokenSequences
from src.training.objectives.contract import EncodedBatch, Objective
from src.training.processes import encoding_own_share, gather_rows, own_rows


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
    """Encodes a batch and gives the objective's terms."""

    def __init__(self, model: AssociationModel, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: TokenBatch) -> Tensor:
        """The unweighted loss terms in the order of `objective.terms`, float32 (terms,)."""
        people = batch.people
        with encoding_own_share(people):
            voices = self.model.encode_voices(own_rows(batch.voices.tokens, people))
            faces = self.model.encode_faces(own_rows(batch.faces.tokens, people))
        encoded = EncodedBatch(
            people=people,
            voice_identities=batch.voice_identities,
            face_identities=batch.face_identities,
            voices=gather_rows(voices, people),
            voice_mask=batch.voices.mask,
            faces=gather_rows(faces, people),
            face_mask=batch.faces.mask,
        )
        terms = self.objective(head_of(self.model), encoded)
        return torch.stack([terms[name].float() for name in self.objective.terms])
