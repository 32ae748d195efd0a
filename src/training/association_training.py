"""Training an association head: members in step, one step chosen for all by people held out.

Member m holds out fold m of the people, fits its aligned inputs and trains on the others. All members advance
together; after every `every_steps` steps each is validated on its own fold, and the weights kept are those of
the step with the lowest mean equal error rate over the folds. The test lists play no part.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from src.artifacts.checkpoints import LOG_FILE, save_checkpoint
from src.artifacts.embedding_store import EmbeddingStore
from src.core.config import config_mapping, load_config
from src.core.device import choose_device
from src.core.errors import TrainingError
from src.core.files import write_text
from src.core.progress import progress_bar
from src.core.seeding import seed_everything, stream_seed
from src.core.version import __version__
from src.data.association import AssociationData, load_association_data
from src.data.identity_split import IdentitySplit, identity_folds
from src.models.canonical_correlation import AlignmentSettings, fit_alignment
from src.models.registry import ModelConfig, build_member, model_config
from src.training.association_config import AssociationConfig
from src.training.association_member import Member, ValidationResult
from src.training.resident_items import ResidentPeople

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedHead:
    """What a training ends with.

    weights: of all members, at the chosen step, by the names of `build_model`'s parameters.
    log: one row a member and validation. metrics: what was measured at the chosen step.
    """

    weights: dict[str, Tensor]
    log: pd.DataFrame
    metrics: dict[str, Any]


def train_association(
    config_path: Path,
    overrides: Sequence[str],
    *,
    features: Path,
    language: str,
    out: Path,
    device_name: str = "auto",
    seed: int = 0,
) -> dict[str, Any]:
    """Train a head on the training split of one language and write its checkpoint; returns its metrics.

    features: folder with the stores `voice` and `face`. out: checkpoint folder.
    Raises ConfigError, StoreError or TrainingError before the first step for what cannot be trained, and
    TrainingError when a loss term stops being finite.
    """
    config = load_config(AssociationConfig, config_path, overrides)
    voice_store, face_store = EmbeddingStore.open(features / "voice"), EmbeddingStore.open(features / "face")
    model = model_config(
        {
            **config.model,
            "voice_dimension": voice_store.dimension,
            "face_dimension": face_store.dimension,
        },
        f"{config_path}: model",
    )
    data = load_association_data(
        voice_store, face_store, language, fewest_identities=config.fewest_identities
    )
    if data.left_out:
        LOGGER.warning("left out: %s", "; ".join(f"{name}, {why}" for name, why in data.left_out.items()))
    splits = identity_folds(data.names, config.validation.folds, seed)[: model.members]
    device = choose_device(device_name)
    seed_everything(stream_seed("association", seed) % 2**32)
    members = [
        _make_member(config, model, data, split, (voice_store, face_store), device, stream_seed(seed, number))
        for number, split in enumerate(splits)
    ]
    trained = train_members(members, config)
    resolved = {
        "recipe": config.recipe,
        "model": config_mapping(model),
        "training": config_mapping(config),
        "language": language,
        "seed": seed,
        "encoders": {"voice": voice_store.information, "face": face_store.information},
        "identities": _identities(splits),
        "left_out": data.left_out,
        "version": __version__,
    }
    write_text(out / LOG_FILE, trained.log.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    save_checkpoint(out, trained.weights, resolved, trained.metrics)
    return trained.metrics


def train_members(members: Sequence[Member], config: AssociationConfig) -> TrainedHead:
    """Train all members until the mean validation error stops falling, and keep the best epoch.

    An epoch is `every_steps` steps of every member and a validation. Raises TrainingError when a loss term is
    not finite, and names it.
    """
    started = time.monotonic()
    rows: list[dict[str, float]] = []
    chosen: _Epoch | None = None
    epoch = step = 0
    with progress_bar(total=config.steps * len(members), description="training", unit="step") as bar:
        while step < config.steps:
            steps = min(config.validation.every_steps, config.steps - step)
            epoch, step = epoch + 1, step + steps
            results = []
            for number, member in enumerate(members):
                rate = member.learning_rate
                terms = member.train(steps)
                _require_finite(terms, number, epoch)
                results.append(member.validate())
                rows.append(_log_row(number, epoch, step, rate, terms, results[-1]))
                bar.update(steps)
            bar.set_postfix_str(f"validation EER {_mean_error(results):.1%}")
            if chosen is None or _mean_error(results) < _mean_error(chosen.results):
                chosen = _Epoch(epoch, results, _weights(members))
            elif epoch - chosen.number >= config.validation.patience:
                break
    assert chosen is not None, "there is at least one step"
    log = pd.DataFrame(rows).assign(chosen=lambda table: (table["epoch"] == chosen.number).astype(int))
    return TrainedHead(chosen.weights, log, _metrics(chosen, epoch, time.monotonic() - started))


@dataclass(frozen=True)
class _Epoch:
    """An epoch that may be kept: its number from 1, the members' results, and all weights."""

    number: int
    results: list[ValidationResult]
    weights: dict[str, Tensor]


def _make_member(
    config: AssociationConfig,
    model: ModelConfig,
    data: AssociationData,
    split: IdentitySplit,
    stores: tuple[EmbeddingStore, EmbeddingStore],
    device: torch.device,
    seed: int,
) -> Member:
    training = ResidentPeople.load(*stores, data.of(split.training), device)
    validation = ResidentPeople.load(*stores, data.of(split.validation), device)
    alignment = None
    if model.aligned_width is not None:
        settings = AlignmentSettings(
            components=model.aligned_width,
            principal_components=config.alignment.principal_components,
            shrinkage=config.alignment.shrinkage,
        )
        alignment = fit_alignment(training.voices.identity_items(), training.faces.identity_items(), settings)
    return Member(build_member(model, alignment).to(device), training, validation, config, seed)


def _require_finite(terms: Mapping[str, float], member: int, epoch: int) -> None:
    wrong = [name for name, value in terms.items() if not math.isfinite(value)]
    if wrong:
        raise TrainingError(
            f"the loss stopped being finite in epoch {epoch} of member {member}: {', '.join(wrong)}. Lower "
            "optimizer.learning_rate or optimizer.gradient_clip; nothing was written."
        )


def _log_row(
    member: int, epoch: int, step: int, rate: float, terms: Mapping[str, float], result: ValidationResult
) -> dict[str, float]:
    named = {name if name == "loss" else f"{name}_loss": value for name, value in terms.items()}
    return {
        "member": member,
        "epoch": epoch,
        "step": step,
        "learning_rate": rate,
        **named,
        "validation_eer": result.equal_error_rate,
        "validation_auc": result.area_under_curve,
    }


def _weights(members: Sequence[Member]) -> dict[str, Tensor]:
    """A copy of the averaged weights, by the names that `build_model` gives them."""
    return {
        f"members.{number}.{name}": tensor.detach().clone()
        for number, member in enumerate(members)
        for name, tensor in member.averaged_model.state_dict().items()
    }


def _mean_error(results: Sequence[ValidationResult]) -> float:
    return float(np.mean([result.equal_error_rate for result in results]))


def _metrics(chosen: _Epoch, epochs: int, seconds: float) -> dict[str, Any]:
    return {
        "validation_eer": _mean_error(chosen.results),
        "validation_auc": float(np.mean([result.area_under_curve for result in chosen.results])),
        "validation_eer_of_members": [result.equal_error_rate for result in chosen.results],
        "validation_pairs": sum(result.pairs for result in chosen.results),
        "epoch": chosen.number,
        "epochs_trained": epochs,
        "training_seconds": round(seconds, 3),
    }


def _identities(splits: Sequence[IdentitySplit]) -> dict[str, Any]:
    """Who trained any member, who validated one, and the same member by member."""
    return {
        "training": sorted({name for split in splits for name in split.training}),
        "validation": sorted({name for split in splits for name in split.validation}),
        "members": [asdict(split) for split in splits],
    }
