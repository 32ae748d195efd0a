"""What a head is trained on: embeddings of stores, or media that encoders embed along the way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import Modality
from src.data.association import AssociationData, load_association_data
from src.models.association import AssociationModel
from src.training.association_step import BatchSource
from src.training.batch_config import BatchConfig
from src.training.people_validation import ComparedPeople
from src.training.resident_batches import ResidentBatches
from src.training.resident_items import ResidentPeople


class HeadInputs(Protocol):
    """Voices and faces of the training people.

    dimensions: numbers in a vector. places: where vectors are from, for errors. information: of each modality's vectors, as
    config.json keeps it. Once they are read, data: who the people are; left_out: people and files that take no part, and
    why.
    """

    dimensions: dict[Modality, int]
    places: dict[Modality, str]
    information: dict[Modality, dict[str, Any]]
    data: AssociationData
    left_out: dict[str, str]

    def read(self) -> None:
        """Read everything; whatever can be checked without, is checked before."""

    def network(self, head: AssociationModel) -> AssociationModel:
        """What is trained to train this head: itself, or encoders and itself."""

    def people(self, names: Sequence[str]) -> ComparedPeople:
        """The voices and faces of some people."""

    def batches(self, people: Any, sizes: BatchConfig, seed: int) -> BatchSource:
        """Endless batches of what `people` gave."""

    def keep(
        self,
        out: Path,
        weights: Mapping[str, Tensor],
        details: Mapping[str, Any],
        metrics: Mapping[str, Any],
    ) -> tuple[dict[str, Tensor], dict[Modality, dict[str, Any]]]:
        """Write what was trained besides the head; the head's own weights, and the information on the vectors that it takes.

        weights: of all members, as the loop chose them. details, metrics: how they were trained, and with what result.
        """


class StoredVectors:
    """Embedding stores; see HeadInputs.

    features: folder of the stores `voice` and `face`. Raises StoreError.
    """

    def __init__(self, features: Path, language: str, fewest_identities: int, device: torch.device) -> None:
        self.language, self.fewest_identities, self.device = language, fewest_identities, device
        self.voice, self.face = (
            EmbeddingStore.open(features / "voice"),
            EmbeddingStore.open(features / "face"),
        )
        stores: dict[Modality, EmbeddingStore] = {"voice": self.voice, "face": self.face}
        self.dimensions = {modality: store.dimension for modality, store in stores.items()}
        self.places = {modality: str(store.folder) for modality, store in stores.items()}
        self.information = {modality: store.information for modality, store in stores.items()}

    def read(self) -> None:
        """See HeadInputs. Raises TrainingError as `load_association_data` does."""
        self.data = load_association_data(
            self.voice, self.face, self.language, fewest_identities=self.fewest_identities
        )
        self.left_out = self.data.left_out

    def network(self, head: AssociationModel) -> AssociationModel:
        """See HeadInputs."""
        return head

    def people(self, names: Sequence[str]) -> ResidentPeople:
        """See HeadInputs."""
        return ResidentPeople.load(self.voice, self.face, self.data.of(names), self.device)

    def batches(self, people: ResidentPeople, sizes: BatchConfig, seed: int) -> ResidentBatches:
        """See HeadInputs."""
        return ResidentBatches(people, sizes, seed)

    def keep(
        self,
        out: Path,  # noqa: ARG002
        weights: Mapping[str, Tensor],
        details: Mapping[str, Any],  # noqa: ARG002
        metrics: Mapping[str, Any],  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], dict[Modality, dict[str, Any]]]:
        """See HeadInputs."""
        return dict(weights), self.information
