"""The training loop of the encoders: additive angular margin softmax over identities, chosen on unseen ones."""

import copy
import csv
import io
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from src.artifacts.checkpoints import LOG_FILE, half_precision, save_checkpoint
from src.core.config import config_mapping
from src.core.device import choose_device
from src.core.errors import TrainingError
from src.core.files import write_text
from src.core.progress import progress_bar
from src.core.seeding import random_stream
from src.core.version import __version__
from src.data.identity_folders import IdentityFolders
from src.encoders.trained_folder import COUNTER_SUFFIX
from src.losses.additive_angular_margin import AdditiveAngularMarginLoss
from src.training.attribute_regression import AttributeRegression, standardized
from src.training.encoder_config import FaceEncoderTrainingConfig, SpeakerEncoderTrainingConfig
from src.training.encoder_measures import attribute_correlations, identity_means, pair_equal_error_rate
from src.training.encoder_task import CONDITIONS, EncoderTask
from src.training.training_progress import TrainingProgress

LOGGER = logging.getLogger(__name__)


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
        # Telling identities of different corpora apart would only teach which corpus a recording is from.
        groups = None if self.optimisation.corpora_compete else torch.from_numpy(task.class_corpora)
        self.margin_loss = AdditiveAngularMarginLoss(
            classes=task.classes,
            dimension=dimension,
            scale=self.optimisation.scale,
            margin=0.0,
            groups=groups,
        ).to(self.device)
        self.regression = self._regression(dimension)
        self.log: list[EpochRecord] = []
        self._stream = random_stream("encoder batches", config.seed)
        self._modules = nn.ModuleList(
            [self.network, self.margin_loss] + ([self.regression] if self.regression is not None else [])
        )

    def run(self, out: Path) -> None:
        """Train all epochs and keep the one with the lowest equal error rate on augmented unseen identities.

        out: where the state is kept after each epoch; a state that is there already is gone on with.
        """
        progress = TrainingProgress(out, config_mapping(self.config))
        optimizer, schedule = self._optimizer()
        best_weights = copy.deepcopy(self.network.state_dict())
        state = progress.load()
        if state is not None:
            self._modules.load_state_dict(state["modules"])
            optimizer.load_state_dict(state["optimizer"])
            schedule.load_state_dict(state["schedule"])
            self._stream.bit_generator.state = state["stream"]
            self.log = [EpochRecord(**record) for record in state["log"]]
            best_weights = state["best_weights"]
            LOGGER.info("%s: going on after epoch %d", out, len(self.log))
        elif self.config.start_from is not None:
            self._place_centres()
        validation = {condition: self.task.validation_inputs(condition) for condition in CONDITIONS}
        settings = self.optimisation
        with progress_bar(
            total=settings.epochs * settings.steps_per_epoch,
            description=f"training {self.config.encoder}",
            unit="step",
        ) as bar:
            bar.update(len(self.log) * settings.steps_per_epoch)
            for epoch in range(len(self.log) + 1, settings.epochs + 1):
                started = time.monotonic()
                losses = []
                for _ in range(settings.steps_per_epoch):
                    losses.append(self._step(optimizer, schedule))
                    bar.update()
                rates = {condition: self._error_rate(*inputs) for condition, inputs in validation.items()}
                self._record(
                    epoch, float(schedule.get_last_lr()[0]), losses, rates, time.monotonic() - started
                )
                if rates["wild"] <= min(record.validation_eer_wild for record in self.log):
                    best_weights = copy.deepcopy(self.network.state_dict())
                progress.save(
                    {
                        "modules": self._modules.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "schedule": schedule.state_dict(),
                        "stream": self._stream.bit_generator.state,
                        "log": [asdict(record) for record in self.log],
                        "best_weights": best_weights,
                    }
                )
        self.network.load_state_dict(best_weights)

    def _error_rate(self, batches: Sequence[Tensor], identities: np.ndarray) -> float:
        """Equal error rate over all pairs of one corpus, the mean over the corpora."""
        vectors = self.embed(batches)
        corpora = self.task.corpora[identities]
        return float(
            np.mean(
                [
                    pair_equal_error_rate(vectors[corpora == corpus], identities[corpora == corpus])
                    for corpus in np.unique(corpora)
                ]
            )
        )

    @torch.inference_mode()
    def embed(self, batches: Sequence[Tensor]) -> np.ndarray:
        """Vectors of many batches, float32 (items, dimension), in evaluation mode and float32."""
        self.network.eval()
        return torch.cat([self.network(batch.to(self.device)).float().cpu() for batch in batches]).numpy()

    def save(
        self,
        out: Path,
        network: nn.Module,
        folders: IdentityFolders,
        validation: np.ndarray,
        language: str | None,
    ) -> None:
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
            weights if self.config.network is None else half_precision(weights),
            {
                "recipe": config["recipe"],
                "encoder": config["encoder"],
                "network": config.pop("network") or {},
                "language": language,
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
        TrainingProgress(out, config_mapping(self.config)).remove()
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
            train_means, train = self._known_means(batches, identities)
            batches, identities = self.task.validation_inputs(condition)
            unseen_means, unseen = self._known_means(batches, identities)
            result[condition] = attribute_correlations(
                train_means, self.attributes.iloc[train], unseen_means, self.attributes.iloc[unseen]
            )
        return result

    def _known_means(
        self, batches: Sequence[Tensor], identities: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean direction of each identity whose attributes are known, and these identities."""
        assert self.attributes is not None, "probes are of attributes"
        means, found = identity_means(self.embed(batches), identities)
        known = self.attributes.iloc[found].notna().all(axis=1).to_numpy()
        return means[known], found[known]

    def _regression(self, dimension: int) -> AttributeRegression | None:
        if self.attributes is None or self.config.attributes.weight == 0:
            return None
        targets = standardized(self.attributes.to_numpy(dtype=np.float64), self.task.train_identities)
        return AttributeRegression(dimension, torch.from_numpy(targets).float()).to(self.device)

    def _place_centres(self) -> None:
        """Put the centre of each class where a trained network already has it."""
        rounds = [
            identity_means(self.embed(batches), identities)[0]
            for batches, identities in self.task.class_inputs()
        ]
        places = torch.from_numpy(np.concatenate(rounds)).float().to(self.device)
        norm = self.margin_loss.centres.data.norm(dim=1).mean()
        self.margin_loss.centres.data = norm * nn.functional.normalize(places)

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


def _csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
