"""Voices and faces whose tokens live on the device for the whole training."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from src.artifacts.embedding_store import EmbeddingStore
from src.data.association import AssociationData, LabelledItems
from src.models.association import AssociationModel
from src.models.canonical_correlation import IdentityItems
from src.models.tokens import TokenSequences


@dataclass(frozen=True)
class ResidentItems:
    """One modality on the device: tokens as the store has them, and the person and video of each item.

    identities, videos: int64 (items,), ascending.
    """

    sequences: TokenSequences
    identities: Tensor
    videos: Tensor

    @classmethod
    def load(cls, store: EmbeddingStore, items: LabelledItems, device: torch.device) -> "ResidentItems":
        """Put the items' tokens on the device."""
        return cls(
            TokenSequences.gather(store.vectors, items.first, items.count, device),
            torch.from_numpy(items.identities).to(device),
            torch.from_numpy(items.videos).to(device),
        )

    def identity_items(self) -> IdentityItems:
        """The mean direction of each item's tokens, on the CPU, for fits in closed form."""
        directions = TokenSequences(F.normalize(self.sequences.tokens, dim=-1), self.sequences.mask)
        means = directions.mean().double().cpu().numpy()
        return IdentityItems(means, self.identities.cpu().numpy())

    def evenly_chosen(self, items_per_identity: int) -> "ResidentItems":
        """At most so many items of each person, evenly spread over their videos."""
        kept = evenly_chosen_rows(self.identities, items_per_identity)
        return ResidentItems(self.sequences.select(kept), self.identities[kept], self.videos[kept])


@dataclass(frozen=True)
class ResidentPeople:
    """The voices and the faces of the same people."""

    voices: ResidentItems
    faces: ResidentItems

    @classmethod
    def load(
        cls,
        voice_store: EmbeddingStore,
        face_store: EmbeddingStore,
        data: AssociationData,
        device: torch.device,
    ) -> "ResidentPeople":
        """Put both modalities on the device."""
        return cls(
            ResidentItems.load(voice_store, data.voices, device),
            ResidentItems.load(face_store, data.faces, device),
        )

    def evenly_chosen(self, items_per_identity: int) -> "ResidentPeople":
        """At most so many voices and so many faces of each person."""
        return ResidentPeople(
            self.voices.evenly_chosen(items_per_identity), self.faces.evenly_chosen(items_per_identity)
        )

    def sequences(self, model: AssociationModel) -> tuple[TokenSequences, TokenSequences]:  # noqa: ARG002
        """The tokens of voices and faces, whatever the model."""
        return self.voices.sequences, self.faces.sequences


def evenly_chosen_rows(identities: Tensor, items_per_identity: int) -> Tensor:
    """Rows of at most so many items of each person, evenly spread over their order; identities: int64 (items,)."""
    shown = identities.cpu().numpy()
    chosen = []
    for identity in np.unique(shown):
        rows = np.flatnonzero(shown == identity)
        places = np.linspace(0, len(rows) - 1, min(items_per_identity, len(rows)))
        chosen.append(rows[places.round().astype(np.int64)])
    return torch.from_numpy(np.concatenate(chosen)).to(identities.device)
