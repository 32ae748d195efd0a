"""What batches of vectors and of media have in common: who is in them is drawn by one sampler, from one stream."""

from typing import Any, Protocol

import torch
from torch import Tensor

from src.data.identity_sampler import IdentitySampler, VideoTable
from src.training.batch_config import BatchConfig


class DrawnItems(Protocol):
    """Items of one modality. identities, videos: int64 (items,), ascending."""

    @property
    def identities(self) -> Tensor:
        """The person of each."""

    @property
    def videos(self) -> Tensor:
        """The video of each."""


class DrawnPeople(Protocol):
    """The voices and faces of the same people."""

    @property
    def voices(self) -> DrawnItems:
        """Their voices."""

    @property
    def faces(self) -> DrawnItems:
        """Their faces."""


class SampledBatches:
    """The sampler of some people, where they live, and its state.

    seed: of the stream that everything is drawn from, whoever draws.
    """

    def __init__(self, people: DrawnPeople, sizes: BatchConfig, seed: int) -> None:
        self.sizes = sizes
        self.generator = torch.Generator(people.voices.identities.device).manual_seed(seed)
        self.sampler = IdentitySampler(
            VideoTable(people.voices.identities, people.voices.videos),
            VideoTable(people.faces.identities, people.faces.videos),
            identities=sizes.identities,
            voices_per_identity=sizes.voices_per_identity,
            faces_per_identity=sizes.faces_per_identity,
            generator=self.generator,
        )

    def state_dict(self) -> dict[str, Any]:
        """See BatchSource."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See BatchSource."""
        self.generator.set_state(state["generator"])
