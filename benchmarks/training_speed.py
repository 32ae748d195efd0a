"""Training speeds: the project's step on resident embeddings, beside the published loops' way of feeding.

Same networks, losses, vectors and batch sizes on both sides. Rounds alternate and the best of each counts.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.embeddings_speed import CORES
from benchmarks.training_published import (
    CAFNET_BATCH,
    FOP_BATCH,
    ReleasedCafNet,
    train_cafnet_as_published,
    train_fop_as_published,
)
from src.losses.fop import FopLoss
from src.models.association import AssociationModel
from src.models.cafnet_published import CafNetPublished
from src.models.fop import Fop
from src.models.tokens import TokenSequences
from src.training.association_config import OptimizerConfig, ValidationConfig
from src.training.association_member import Member
from src.training.association_step import AssociationStep
from src.training.batch_config import BatchConfig
from src.training.objectives.cafnet_published import CafNetPublishedObjectiveConfig
from src.training.objectives.contract import ObjectiveConfig
from src.training.objectives.fop import FopObjectiveConfig
from src.training.people_validation import PeopleValidation
from src.training.resident_batches import ResidentBatches
from src.training.resident_items import ResidentItems, ResidentPeople

ITEMS, VIDEOS_EACH = 94, 8
CAFNET_DIMENSIONS, FOP_DIMENSIONS = (192, 2048), (512, 4096)  # voice and face, as released
_ROUNDS = 3


def _batch(identities: int, voices: int, faces: int) -> BatchConfig:
    return BatchConfig(
        identities=identities,
        voices_per_identity=voices,
        faces_per_identity=faces,
        voice_tokens=1,
        face_tokens=1,
    )


# As many vectors a step as the published loop encodes, each of them in several pairs; and as many pairs a step.
CAFNET_BATCHES = {"same_vectors": _batch(16, 4, 4), "same_pairs": _batch(13, 2, 1)}
FOP_BATCHES = {"same_vectors": _batch(8, 4, 4), "same_pairs": _batch(8, 2, 2)}


@dataclass(frozen=True)
class MadeUpPeople:
    """Random vectors of some people, `ITEMS` of each and of each modality.

    voice_dimension, face_dimension: numbers in a vector. identities: people, 64 as in the training set of MAV-Celeb v1.
    """

    voice_dimension: int
    face_dimension: int
    identities: int = 64

    @cached_property
    def voices(self) -> np.ndarray:
        """float32 (identities, ITEMS, voice_dimension)."""
        return self._draw(0, self.voice_dimension)

    @cached_property
    def faces(self) -> np.ndarray:
        """float32 (identities, ITEMS, face_dimension)."""
        return self._draw(1, self.face_dimension)

    @property
    def labels(self) -> np.ndarray:
        """Person of each row, int64 (identities · ITEMS,)."""
        return np.repeat(np.arange(self.identities), ITEMS)

    @property
    def videos(self) -> np.ndarray:
        """Video of each row, int64 (identities · ITEMS,)."""
        return self.labels * VIDEOS_EACH + np.tile(np.arange(ITEMS) * VIDEOS_EACH // ITEMS, self.identities)

    def resident(self, device: torch.device) -> ResidentPeople:
        """The same on a device, ready for the project's own batches."""
        sides = (
            ResidentItems(
                TokenSequences(
                    torch.from_numpy(vectors.reshape(-1, 1, vectors.shape[-1])).to(device),
                    torch.ones(self.identities * ITEMS, 1, dtype=torch.bool, device=device),
                ),
                torch.from_numpy(self.labels).to(device),
                torch.from_numpy(self.videos).to(device),
            )
            for vectors in (self.voices, self.faces)
        )
        return ResidentPeople(*sides)

    def _draw(self, seed: int, dimension: int) -> np.ndarray:
        stream = np.random.default_rng(seed)
        return stream.standard_normal((self.identities, ITEMS, dimension), dtype=np.float32)


@dataclass(frozen=True)
class Ours:
    """A member that takes the project's steps, and how many pairs a batch of it has."""

    member: Member
    batch: int


def matching(batch: BatchConfig) -> int:
    """Pairs of one person in a batch."""
    return batch.identities * batch.voices_per_identity * batch.faces_per_identity


def measure_cafnet(device: torch.device, steps: int) -> dict[str, Any]:
    """Pairs a second of CAFNet as released, on both sides."""
    people = MadeUpPeople(*CAFNET_DIMENSIONS)
    published = ReleasedCafNet(*CAFNET_DIMENSIONS).to(device)
    objective = CafNetPublishedObjectiveConfig()
    return _compare(
        device,
        steps,
        published=lambda: train_cafnet_as_published(published, people.voices, people.faces, steps, device),
        published_batch=CAFNET_BATCH,
        ours={
            name: Ours(
                _member(people, CafNetPublished(*CAFNET_DIMENSIONS), objective, batch, device),
                matching(batch) + round(objective.negative_ratio * matching(batch)),
            )
            for name, batch in CAFNET_BATCHES.items()
        },
    )


def measure_fop(device: torch.device, steps: int) -> dict[str, Any]:
    """Rows (matching pairs) a second of FOP with gated fusion, on both sides."""
    people = MadeUpPeople(*FOP_DIMENSIONS)
    published, loss_of = Fop(*FOP_DIMENSIONS).to(device), FopLoss(128, people.identities).to(device)
    order = np.random.default_rng(0).permutation(len(people.labels))
    voices, faces = (
        side.reshape(len(order), -1)[order].astype(np.float64) for side in (people.voices, people.faces)
    )
    labels = people.labels[order]
    return _compare(
        device,
        steps,
        published=lambda: train_fop_as_published(published, loss_of, voices, faces, labels, steps, device),
        published_batch=FOP_BATCH,
        ours={
            name: Ours(
                _member(people, Fop(*FOP_DIMENSIONS), FopObjectiveConfig(), batch, device), matching(batch)
            )
            for name, batch in FOP_BATCHES.items()
        },
    )


def _compare(
    device: torch.device,
    steps: int,
    *,
    published: Callable[[], Iterator[float]],
    published_batch: int,
    ours: Mapping[str, Ours],
) -> dict[str, Any]:
    threads = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        seconds: dict[str, list[float]] = {name: [] for name in ("published", *ours)}
        operations = {"published": _operations(published) / published_batch}
        for name, one in ours.items():
            operations[name] = _operations(partial(_one_step, one.member)) / one.batch
            one.member.train(steps // 4)  # warms up
        for _ in range(_ROUNDS):
            seconds["published"].append(_seconds_after_the_first(published(), device))
            for name, one in ours.items():
                seconds[name].append(_seconds(partial(one.member.train, steps), device))
    finally:
        torch.set_num_threads(threads)
    batches = {"published": published_batch, **{name: one.batch for name, one in ours.items()}}
    rates = {name: steps * batch / min(seconds[name]) for name, batch in batches.items()}
    return {
        "steps": steps,
        "batch": batches,
        "a_second": rates,
        "times_faster": {name: rates[name] / rates["published"] for name in ours},
        "operations_each": operations,
    }


def _member(
    people: MadeUpPeople,
    model: AssociationModel,
    objective: ObjectiveConfig,
    batch: BatchConfig,
    device: torch.device,
) -> Member:
    resident = people.resident(device)
    validation = ValidationConfig(folds=2, items_per_identity=1)
    names = [str(number) for number in range(people.identities)]
    return Member(
        AssociationStep(model, objective.build(model, people.identities, 10**6)).to(device),
        ResidentBatches(resident, batch, seed=0),
        PeopleValidation(resident, names, validation, seed=0),
        optimizer=OptimizerConfig(learning_rate=1e-4, weight_decay=1e-4),
        steps=10**6,
        weights=objective.term_weights,
    )


def _operations(train: Callable[[], Iterator[float]]) -> int:
    """Floating point operations of one step, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        next(train())
    return int(counter.get_total_flops())


def _seconds_after_the_first(losses: Iterator[float], device: torch.device) -> float:
    next(losses)

    def rest() -> None:
        for _ in losses:
            pass

    return _seconds(rest, device)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _one_step(member: Member) -> Iterator[float]:
    yield member.train(1)["loss"]
