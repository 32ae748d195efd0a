"""What the encoders' training loop needs to know of a modality: batches, and validation inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from src.core.seeding import random_stream
from src.data.face_augmentation import augment_faces
from src.data.face_corpus import FaceCorpus
from src.data.speech_augmentation import SAMPLE_RATE_HZ, augment_speech, change_speed
from src.data.speech_corpus import SpeechCorpus
from src.training.encoder_config import FaceEncoderTrainingConfig, SpeakerEncoderTrainingConfig


@dataclass(frozen=True, kw_only=True)
class TrainingBatch:
    """One step's input.

    inputs: what the network takes.
    classes: (batch,) class of each for the margin loss.
    identities: (batch,) index of the identity whose attributes these are, -1 where a change of speed
        has made another person of it.
    """

    inputs: Tensor
    classes: Tensor
    identities: Tensor


class EncoderTask(Protocol):
    """Batches of one modality.

    classes: of the margin loss. train_identities: indices of the identities that are trained on.
    corpora, class_corpora: (identities,) and (classes,), the corpus of each.
    """

    classes: int
    train_identities: np.ndarray
    corpora: np.ndarray
    class_corpora: np.ndarray

    def training_batch(self, stream: np.random.Generator) -> TrainingBatch:
        """A batch of augmented inputs, at most one of each identity while there are enough."""
        ...

    def validation_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """Batches of inputs of unseen identities, and the identity of each input.

        condition: "clean", or "wild" for augmented ones, the same at every call.
        """
        ...

    def probe_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """The same of the training identities, to fit probes on."""
        ...

    def class_inputs(self) -> list[tuple[list[Tensor], np.ndarray]]:
        """Batches of augmented inputs of all classes and the identity of each input, classes of one round together."""
        ...


CONDITIONS = ("clean", "wild")
_VALIDATION_BATCH = 64


class EvenSampler:
    """Draws items so that every corpus has its share, and within it every identity comes equally often.

    item_identities: (items,) identity of each item. corpora: (identities,) corpus of each identity.
    weights: of each corpus; empty for equal shares.
    """

    def __init__(
        self, item_identities: np.ndarray, corpora: np.ndarray, weights: Sequence[float] = ()
    ) -> None:
        self.identities = np.unique(item_identities)
        self._rows = {identity: np.flatnonzero(item_identities == identity) for identity in self.identities}
        found = corpora[self.identities]
        self._corpora = [self.identities[found == corpus] for corpus in np.unique(found)]
        shares = np.array(weights or [1.0] * len(self._corpora))
        self._cumulative = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])

    def draw(self, count: int, stream: np.random.Generator) -> np.ndarray:
        """Rows of `count` items of different identities (repeated only beyond their number)."""
        bounds = np.floor(count * self._cumulative + stream.random()).astype(int)
        chosen: list[int] = []
        for identities, share in zip(self._corpora, np.diff(bounds), strict=True):
            rounds = -(-share // len(identities))
            chosen += np.concatenate([stream.permutation(identities) for _ in range(rounds)])[:share].tolist()
        return np.array([stream.choice(self._rows[identity]) for identity in chosen])


class SpeakerTask:
    """Random crops of speech, at several speeds, augmented.

    corpus: all utterances. corpora: (identities,) where each identity is from. validation: (identities,)
    bool, those kept for validation.
    """

    def __init__(
        self,
        corpus: SpeechCorpus,
        corpora: np.ndarray,
        validation: np.ndarray,
        config: SpeakerEncoderTrainingConfig,
    ) -> None:
        self.config, self.corpora = config, corpora
        self.train, self.validation = corpus.of_identities(~validation), corpus.of_identities(validation)
        self._sampler = EvenSampler(self.train.identities, corpora, config.corpus_weights)
        self.train_identities = self._sampler.identities
        self._class_of = np.cumsum(~validation) - 1
        self._identities = int((~validation).sum())
        self.classes = self._identities * len(config.speed_factors)
        self.class_corpora = np.tile(corpora[~validation], len(config.speed_factors))

    def training_batch(self, stream: np.random.Generator) -> TrainingBatch:
        """See EncoderTask; a crop at another speed belongs to a class of its own."""
        size = self.config.optimisation.batch_size
        samples = round(self.config.crop_seconds * SAMPLE_RATE_HZ)
        rows = self._sampler.draw(size, stream)
        speeds = stream.integers(len(self.config.speed_factors), size=size)
        waveforms = torch.empty(size, samples)
        for speed, factor in enumerate(self.config.speed_factors):
            places = np.flatnonzero(speeds == speed)
            if len(places):
                crops = self.train.crops(rows[places], 2 * round(samples * factor / 2), stream)
                waveforms[torch.from_numpy(places)] = change_speed(torch.from_numpy(crops), samples)
        identities = self.train.identities[rows]
        return TrainingBatch(
            inputs=augment_speech(waveforms, self.config.augmentation, stream),
            classes=torch.from_numpy(self._class_of[identities] + speeds * self._identities),
            identities=torch.from_numpy(np.where(speeds == 0, identities, -1)),
        )

    def validation_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """See EncoderTask."""
        return self._inputs(self.validation, condition, self.config.validation_crops)

    def probe_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """The same of the training identities, to fit probes on."""
        return self._inputs(self.train, condition, 3)

    def class_inputs(self) -> list[tuple[list[Tensor], np.ndarray]]:
        """See EncoderTask; a round is one speed."""
        return [self._inputs(self.train, "wild", 2, factor) for factor in self.config.speed_factors]

    def _inputs(
        self, corpus: SpeechCorpus, condition: str, crops: int, speed: float = 1.0
    ) -> tuple[list[Tensor], np.ndarray]:
        stream = random_stream("speaker validation", self.config.seed, condition)
        samples = round(self.config.validation_seconds * SAMPLE_RATE_HZ)
        rows = spread_rows(corpus.identities, crops, stream, repeat=True)
        batches = []
        for start in range(0, len(rows), _VALIDATION_BATCH):
            source = 2 * round(samples * speed / 2)
            drawn = corpus.crops(rows[start : start + _VALIDATION_BATCH], source, stream)
            batch = change_speed(torch.from_numpy(drawn), samples)
            if condition == "wild":
                batch = augment_speech(batch, self.config.augmentation, stream)
            batches.append(batch)
        return batches, corpus.identities[rows]


class FaceTask:
    """Augmented face crops.

    corpus: all crops. corpora, validation: as for a SpeakerTask.
    """

    def __init__(
        self,
        corpus: FaceCorpus,
        corpora: np.ndarray,
        validation: np.ndarray,
        config: FaceEncoderTrainingConfig,
    ) -> None:
        self.config, self.corpora = config, corpora
        self.train, self.validation = corpus.of_identities(~validation), corpus.of_identities(validation)
        self._sampler = EvenSampler(self.train.identities, corpora)
        self.train_identities = self._sampler.identities
        self._class_of = np.cumsum(~validation) - 1
        self.classes = int((~validation).sum())
        self.class_corpora = corpora[~validation]

    def training_batch(self, stream: np.random.Generator) -> TrainingBatch:
        """See EncoderTask."""
        rows = self._sampler.draw(self.config.optimisation.batch_size, stream)
        identities = self.train.identities[rows]
        return TrainingBatch(
            inputs=self._augmented(self.train.crops[rows], stream),
            classes=torch.from_numpy(self._class_of[identities]),
            identities=torch.from_numpy(identities),
        )

    def validation_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """See EncoderTask."""
        return self._inputs(self.validation, condition, 12)

    def probe_inputs(self, condition: str) -> tuple[list[Tensor], np.ndarray]:
        """The same of the training identities, to fit probes on."""
        return self._inputs(self.train, condition, 4)

    def class_inputs(self) -> list[tuple[list[Tensor], np.ndarray]]:
        """See EncoderTask."""
        return [self.probe_inputs("wild")]

    def _inputs(self, corpus: FaceCorpus, condition: str, crops: int) -> tuple[list[Tensor], np.ndarray]:
        stream = random_stream("face validation", self.config.seed, condition)
        rows = spread_rows(corpus.identities, crops, stream)
        pixels = self.config.input_pixels
        batches = []
        for start in range(0, len(rows), _VALIDATION_BATCH):
            batch = corpus.crops[rows[start : start + _VALIDATION_BATCH]]
            if condition == "wild":
                batches.append(self._augmented(batch, stream))
            else:
                planes = torch.from_numpy(batch.transpose(0, 3, 1, 2).astype(np.float32))
                batches.append(torch.nn.functional.interpolate(planes, size=(pixels, pixels), mode="area"))
        return batches, corpus.identities[rows]

    def _augmented(self, crops: np.ndarray, stream: np.random.Generator) -> Tensor:
        planes = torch.from_numpy(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))
        return augment_faces(planes, self.config.input_pixels, self.config.augmentation, stream)


def spread_rows(
    identities: np.ndarray, most: int, stream: np.random.Generator, *, repeat: bool = False
) -> np.ndarray:
    """At most `most` items of each identity; with `repeat` exactly so many, some of them several times."""
    rows = []
    for identity in np.unique(identities):
        own = stream.permutation(np.flatnonzero(identities == identity))
        rows.append(np.resize(own, most) if repeat else own[:most])
    return np.concatenate(rows)
