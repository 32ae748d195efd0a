"""Training the compact encoders: additive angular margin softmax over identities, chosen on unseen ones.

python train.py configs/encoders/ecapa-compact.yaml --media CORPUS --out checkpoints/embedded/ecapa-compact
"""

import copy
import csv
import io
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from src.artifacts.checkpoints import LOG_FILE, load_checkpoint, load_weights, save_checkpoint
from src.core.config import config_mapping, load_config
from src.core.device import choose_device
from src.core.errors import TrainingError
from src.core.files import write_text
from src.core.progress import progress_bar
from src.core.seeding import random_stream, seed_everything, stream_seed
from src.core.version import __version__
from src.data.face_corpus import FaceCorpus
from src.data.identity_folders import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    IdentityFolders,
    read_attributes,
    scan_identity_folders,
    validation_identities,
)
from src.data.speech_corpus import SpeechCorpus
from src.losses.additive_angular_margin import AdditiveAngularMarginLoss
from src.models.face_encoder import CompactFaceEncoder
from src.models.speaker_encoder import SpeakerEncoder
from src.training.attribute_regression import AttributeRegression, standardized
from src.training.encoder_config import (
    AttributeConfig,
    FaceEncoderTrainingConfig,
    SpeakerEncoderTrainingConfig,
)
from src.training.encoder_measures import attribute_correlations, identity_means, pair_equal_error_rate
from src.training.encoder_task import CONDITIONS, EncoderTask, FaceTask, SpeakerTask

LOGGER = logging.getLogger(__name__)
ATTRIBUTES_FILE = "identities.csv"
COUNTER_SUFFIX = "num_batches_tracked"


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One line of the training log; losses are means over the epoch."""

    epoch: int
    learning_rate: float
    margin_loss: float
    attribute_loss: float
    validation_eer_clean: float
    validation_eer_wild: float
    seconds: float


def train_speaker_encoder(
    config_path: Path, overrides: Sequence[str], media: Path, out: Path, device: str = "auto"
) -> int:
    """Train a speaker encoder from MEDIA/speakers/<identity>/*.wav into the checkpoint folder `out`.

    Raises ConfigError, DatasetError, TrainingError.
    """
    config = load_config(SpeakerEncoderTrainingConfig, config_path, overrides)
    folders = scan_identity_folders(media / "speakers", AUDIO_SUFFIXES)
    attributes = _attributes(media, folders, config.attributes)
    validation = validation_identities(folders.names, config.validation_share, config.seed)
    corpus = SpeechCorpus.load(folders)
    LOGGER.info(
        "%d identities (%d for validation), %d utterances, %.1f hours of speech",
        len(folders.names),
        validation.sum(),
        len(corpus.utterances),
        corpus.seconds / 3600,
    )
    seed_everything(stream_seed("encoder weights", config.seed) % 2**31)
    network = SpeakerEncoder(config.network)
    _start_from(config.start_from, network.network)
    task = SpeakerTask(corpus, validation, config)
    training = EncoderTraining(network, config.network.dimension, task, attributes, config, device)
    training.run()
    training.save(out, network.network, folders, validation)
    return 0


def train_face_encoder(
    config_path: Path, overrides: Sequence[str], media: Path, out: Path, device: str = "auto"
) -> int:
    """Train a face encoder from MEDIA/faces/<identity>/*.jpg into the checkpoint folder `out`.

    Raises ConfigError, DatasetError, TrainingError.
    """
    config = load_config(FaceEncoderTrainingConfig, config_path, overrides)
    folders = scan_identity_folders(media / "faces", IMAGE_SUFFIXES)
    attributes = _attributes(media, folders, config.attributes)
    validation = validation_identities(folders.names, config.validation_share, config.seed)
    corpus = FaceCorpus.load(folders, config.cached_pixels)
    LOGGER.info(
        "%d identities (%d for validation), %d crops", len(folders.names), validation.sum(), len(corpus.crops)
    )
    seed_everything(stream_seed("encoder weights", config.seed) % 2**31)
    network = CompactFaceEncoder(config.network)
    _start_from(config.start_from, network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs
    task = FaceTask(corpus, validation, config)
    training = EncoderTraining(network, config.network.dimension, task, attributes, config, device)
    training.run()
    training.save(out, network, folders, validation)
    return 0


class EncoderTraining:
    """The loop over one network and one task; `run` leaves the best epoch's weights in the network."""

    def __init__(
        self,
        network: nn.Module,
        dimension: int,
        task: EncoderTask,
        attributes: pd.DataFrame | None,
        config: SpeakerEncoderTrainingConfig | FaceEncoderTrainingConfig,
        device: str,
    ) -> None:
        self.device = choose_device(device)
        self.config, self.optimisation = config, config.optimisation
        self.task, self.attributes = task, attributes
        self.network = network.to(self.device)
        self.margin_loss = AdditiveAngularMarginLoss(
            classes=task.classes, dimension=dimension, scale=self.optimisation.scale, margin=0.0
        ).to(self.device)
        self.regression = self._regression(dimension)
        self.log: list[EpochRecord] = []
        self._stream = random_stream("encoder batches", config.seed)
        self._modules = nn.ModuleList(
            [self.network, self.margin_loss] + ([self.regression] if self.regression is not None else [])
        )

    def run(self) -> None:
        """Train all epochs and keep the one with the lowest equal error rate on augmented unseen identities."""
        if self.config.start_from is not None:
            self._place_centres()
        optimizer, schedule = self._optimizer()
        validation = {condition: self.task.validation_inputs(condition) for condition in CONDITIONS}
        best, best_weights = float("inf"), copy.deepcopy(self.network.state_dict())
        steps = self.optimisation.epochs * self.optimisation.steps_per_epoch
        with progress_bar(total=steps, description=f"training {self.config.encoder}", unit="step") as bar:
            for epoch in range(1, self.optimisation.epochs + 1):
                started = time.monotonic()
                losses = []
                for _ in range(self.optimisation.steps_per_epoch):
                    losses.append(self._step(optimizer, schedule))
                    bar.update()
                rates = {
                    condition: pair_equal_error_rate(self.embed(batches), identities)
                    for condition, (batches, identities) in validation.items()
                }
                self._record(
                    epoch, float(schedule.get_last_lr()[0]), losses, rates, time.monotonic() - started
                )
                if rates["wild"] <= best:
                    best, best_weights = rates["wild"], copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(best_weights)

    @torch.inference_mode()
    def embed(self, batches: Sequence[Tensor]) -> np.ndarray:
        """Vectors of many batches, float32 (items, dimension), in evaluation mode and float32."""
        self.network.eval()
        return torch.cat([self.network(batch.to(self.device)).float().cpu() for batch in batches]).numpy()

    def save(self, out: Path, network: nn.Module, folders: IdentityFolders, validation: np.ndarray) -> None:
        """Write the checkpoint; `network` is the part whose weights are kept."""
        config = config_mapping(self.config)
        chosen = min(self.log, key=lambda record: (record.validation_eer_wild, -record.epoch))
        metrics = {**asdict(chosen), "attribute_correlation": self.probes()}
        weights = {
            name: tensor for name, tensor in network.state_dict().items() if not name.endswith(COUNTER_SUFFIX)
        }
        names = np.array(folders.names)
        save_checkpoint(
            out,
            weights,
            {
                "recipe": config["recipe"],
                "encoder": config["encoder"],
                "network": config.pop("network"),
                "training": config,
                "identities": {
                    "training": int((~validation).sum()),
                    "validation": names[validation].tolist(),
                },
                "version": __version__,
            },
            metrics,
        )
        write_text(out / LOG_FILE, _csv_text([asdict(record) for record in self.log]))
        LOGGER.info(
            "%s: best epoch %d of %d, EER on unseen identities %.2f %% clean, %.2f %% augmented -> %s",
            self.config.encoder,
            chosen.epoch,
            len(self.log),
            100 * chosen.validation_eer_clean,
            100 * chosen.validation_eer_wild,
            out,
        )

    def probes(self) -> dict[str, dict[str, float]]:
        """What the vectors say linearly about the attributes of unseen identities, by condition."""
        if self.attributes is None:
            return {}
        result = {}
        for condition in CONDITIONS:
            batches, identities = self.task.probe_inputs(condition)
            train_means, train = identity_means(self.embed(batches), identities)
            batches, identities = self.task.validation_inputs(condition)
            unseen_means, unseen = identity_means(self.embed(batches), identities)
            result[condition] = attribute_correlations(
                train_means, self.attributes.iloc[train], unseen_means, self.attributes.iloc[unseen]
            )
        return result

    def _regression(self, dimension: int) -> AttributeRegression | None:
        if self.attributes is None or self.config.attributes.weight == 0:
            return None
        targets = standardized(self.attributes.to_numpy(dtype=np.float64), self.task.train_identities)
        return AttributeRegression(dimension, torch.from_numpy(targets).float()).to(self.device)

    def _place_centres(self) -> None:
        """Put the centre of each identity where a trained network already has it."""
        batches, identities = self.task.probe_inputs("wild")
        means, _ = identity_means(self.embed(batches), identities)
        places = torch.from_numpy(means).float().to(self.device)
        norm = self.margin_loss.centres.data.norm(dim=1).mean()
        # Other speeds are further classes of the same identities; they begin at the same places.
        rounds = self.task.classes // len(places)
        self.margin_loss.centres.data = norm * nn.functional.normalize(places).repeat(rounds, 1)

    def _optimizer(self) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        settings = self.optimisation
        matrices = [parameter for parameter in self._modules.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in self._modules.parameters() if parameter.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": settings.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=settings.learning_rate,
            total_steps=settings.epochs * settings.steps_per_epoch,
            pct_start=settings.warm_up_share,
            cycle_momentum=False,
        )
        return optimizer, schedule

    def _step(
        self, optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
    ) -> tuple[float, float]:
        settings = self.optimisation
        warm_up_steps = settings.warm_up_share * settings.epochs * settings.steps_per_epoch
        self.margin_loss.margin = settings.margin * min(1.0, schedule.last_epoch / warm_up_steps)
        batch = self.task.training_batch(self._stream)
        self.network.train()
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=settings.bfloat16):
            vectors = self.network(batch.inputs.to(self.device)).float()
        margin_loss = self.margin_loss(vectors, batch.classes.to(self.device))
        attribute_loss = torch.zeros((), device=self.device)
        if self.regression is not None:
            attribute_loss = self.regression(vectors, batch.identities.to(self.device))
        loss = margin_loss + self.config.attributes.weight * attribute_loss
        if not torch.isfinite(loss):
            raise TrainingError(
                f"{self.config.encoder}: the loss is not finite after {schedule.last_epoch} steps. "
                "Lower it: --set optimisation.learning_rate=5e-4"
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._modules.parameters(), settings.gradient_norm)
        optimizer.step()
        schedule.step()
        return float(margin_loss.detach()), float(attribute_loss.detach())

    def _record(
        self,
        epoch: int,
        learning_rate: float,
        losses: Sequence[tuple[float, float]],
        rates: Mapping[str, float],
        seconds: float,
    ) -> None:
        margin_loss, attribute_loss = np.mean(losses, axis=0).tolist()
        record = EpochRecord(
            epoch=epoch,
            learning_rate=learning_rate,
            margin_loss=margin_loss,
            attribute_loss=attribute_loss,
            validation_eer_clean=rates["clean"],
            validation_eer_wild=rates["wild"],
            seconds=seconds,
        )
        self.log.append(record)
        LOGGER.info(
            "epoch %d: loss %.3f, attributes %.3f, EER on unseen identities %.2f %% clean, %.2f %% augmented, %.0f s",
            epoch,
            margin_loss,
            attribute_loss,
            100 * rates["clean"],
            100 * rates["wild"],
            seconds,
        )


def _start_from(folder: Path | None, network: nn.Module) -> None:
    """Fill `network` from a checkpoint; batch counters are not kept in one and stay."""
    if folder is None:
        return
    checkpoint = load_checkpoint(folder)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER_SUFFIX)}
    load_weights(network, replace(checkpoint, weights={**counters, **checkpoint.weights}))


def _attributes(media: Path, folders: IdentityFolders, config: AttributeConfig) -> pd.DataFrame | None:
    if not config.numeric + config.categorical:
        return None
    return read_attributes(media / ATTRIBUTES_FILE, folders.names, config.numeric, config.categorical)


def _csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
