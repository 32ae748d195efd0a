"""Batches of embeddings that live on the device: composed there, several steps at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from src.core.seeding import stream_seed
from src.models.tokens import TokenSequences
from src.training.association_step import TokenBatch
from src.training.batch_config import BatchConfig
from src.training.resident_items import ResidentPeople
from src.training.sampled_batches import SampledBatches


class ResidentBatches(SampledBatches):
    """Endless batches of some people, by an identity sampler, a few random tokens of each item.

    seed: of who, which items and which tokens are drawn.
    """

    def __init__(self, people: ResidentPeople, sizes: BatchConfig, seed: int) -> None:
        super().__init__(people, sizes, stream_seed("batches", seed))
        self.people = people

    def draw(self, batches: int) -> Iterator[TokenBatch]:
        """The next batches."""
        composed = self.sampler.draw(batches)
        voices, faces = self.people.voices.sequences, self.people.faces.sequences
        voice_rows = torch.stack([batch.voices for batch in composed])
        face_rows = torch.stack([batch.faces for batch in composed])
        voice_places = self._token_places(voices, voice_rows, self.sizes.voice_tokens)
        face_places = self._token_places(faces, face_rows, self.sizes.face_tokens)
        for number, batch in enumerate(composed):
            yield TokenBatch(
                people=batch.people,
                voice_identities=batch.voice_identities,
                face_identities=batch.face_identities,
                voices=_tokens_at(voices, batch.voices, voice_places[number]),
                faces=_tokens_at(faces, batch.faces, face_places[number]),
            )

    def _token_places(self, sequences: TokenSequences, rows: Tensor, kept: int) -> Tensor:
        """Random different places of tokens, (batches, items, kept or fewer); padding only where an item has no more."""
        mask = sequences.mask[rows]
        if mask.shape[-1] <= kept:
            return torch.arange(mask.shape[-1], device=mask.device).expand(mask.shape)
        chance = torch.rand(mask.shape, generator=self.generator, device=mask.device)
        return chance.masked_fill(~mask, -1.0).topk(kept, dim=-1).indices


def _tokens_at(sequences: TokenSequences, rows: Tensor, places: Tensor) -> TokenSequences:
    return TokenSequences(sequences.tokens[rows[:, None], places], sequences.mask[rows[:, None], places])
