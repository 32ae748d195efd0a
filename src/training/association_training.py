"""Training an association head, from a configuration and embedding stores, or media, to a checkpoint folder.

Member m holds out fold m of the people, fits its canonical directions and trains on the others; the loop chooses one
step for all of them (association_loop.py).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from src.artifacts.checkpoints import save_checkpoint, save_validation_scores
from src.core.config import config_mapping, load_config
from src.core.device import choose_device
from src.core.errors import ConfigError, TrainingError
from src.core.seeding import random_stream, seed_everything, stream_seed
from src.core.version import __version__
from src.data.identity_split import IdentitySplit, identity_folds
from src.models.canonical_correlation import AlignmentSettings, fit_alignment
from src.models.configurations import ModelConfig, SharedSpaceConfig
from src.models.registry import build_member, model_config
from src.models.shared_space import SharedSpace
from src.training.association_config import AlignmentConfig, AssociationConfig
from src.training.association_loop import AssociationLoop
from src.training.association_member import Finish, Member
from src.training.association_step import AssociationStep
from src.training.head_calibration import calibrate_head
from src.training.head_inputs import HeadInputs, StoredVectors
from src.training.media_inputs import MediaInputs
from src.training.output_alignment import with_fitted_outputs
from src.training.people_validation import ComparedPeople, PeopleValidation
from src.training.processes import (
    is_first_process,
    process_count,
    process_rank,
    with_common_batch_norms,
)
from src.training.resident_items import ResidentPeople
from src.training.run_folder import RunFolder
from src.training.starting_weights import StartingWeights
from src.training.training_progress import TrainingProgress

LOGGER = logging.getLogger(__name__)
MOST_VALIDATION_SCORES = 200_000
SHOWN_LEFT_OUT = 20


@dataclass(frozen=True)
class HeadSources:
    """What heads are made from: settings, vectors or media, the people of each member, and where they are trained."""

    config: AssociationConfig
    model: ModelConfig
    inputs: HeadInputs
    splits: list[IdentitySplit]
    device: torch.device
    seed: int


def train_association(
    config_path: Path,
    overrides: Sequence[str],
    *,
    features: Path | None = None,
    media: Path | None = None,
    language: str,
    out: Path,
    device_name: str = "auto",
    seed: int = 0,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a head on the training split of one language and write its checkpoint; returns its metrics.

    features: folder with the stores `voice` and `face`. media: instead, where encoders learn along, the work folder. out:
    checkpoint folder. resume: go on with a training that was stopped there.
    Raises ConfigError, StoreError, DatasetError, WeightsError or TrainingError before the first step for what cannot be
    trained, and TrainingError when a loss term stops being finite; the best epoch before that is kept then.
    """
    config = load_config(AssociationConfig, config_path, overrides)
    device = choose_device(device_name)
    inputs = _open_inputs(config, config_path, features, media, language, device)
    sources = _sources(config, f"{config_path}: model", inputs, language, device, seed)
    resolved = _resolved(sources, language)
    progress = TrainingProgress(
        out, {**resolved, "device": sources.device.type, "processes": process_count()}
    )
    state = progress.load() if resume else None
    if not resume:
        progress.refuse_unfinished()
    seed_everything(stream_seed("association", seed) % 2**32)
    starting = StartingWeights.load(config.start_from, sources.model, language, sources.splits)
    members = [_make_member(sources, number, starting) for number in range(sources.model.members)]
    if process_count() > 1:  # dropout must not repeat itself from process to process
        torch.manual_seed(stream_seed("association", seed, process_rank()))
    with RunFolder(out) as folder:
        loop = AssociationLoop(members, config, folder, progress)
        if state is not None:
            loop.load_state_dict(state)
            LOGGER.info("%s: going on after epoch %d", out, loop.epoch)
        trained = loop.run()
        if trained is None:
            raise TrainingError(_failure_message(loop.failure, "nothing was written"))
        if is_first_process():
            validation_scores = _validation_scores(sources, members, trained.weights)
            save_validation_scores(out, validation_scores)
            calibrate_head(out, validation_scores)
            folder.finish(trained.log)
            details = {"trained_along": config.model["name"], "language": language, "version": __version__}
            weights, information = sources.inputs.keep(out, trained.weights, details, trained.metrics)
            save_checkpoint(out, weights, {**resolved, "encoders": information}, trained.metrics)
            progress.remove()
    if trained.failure is not None:
        kept = f"{out} holds the weights of epoch {trained.metrics['epoch']}, the best before that"
        raise TrainingError(_failure_message(trained.failure, kept))
    return trained.metrics


def _open_inputs(
    config: AssociationConfig,
    config_path: Path,
    features: Path | None,
    media: Path | None,
    language: str,
    device: torch.device,
) -> HeadInputs:
    if config.encoders is not None and media is not None:
        return MediaInputs(media, language, config.encoders, config.fewest_identities, device)
    if config.encoders is None and features is not None:
        return StoredVectors(features, language, config.fewest_identities, device)
    raise ConfigError(
        f"{config_path}: a recipe with the section encoders is trained from media (train.py CONFIG --media WORK), one "
        "without from features"
    )


def _sources(
    config: AssociationConfig, source: str, inputs: HeadInputs, language: str, device: torch.device, seed: int
) -> HeadSources:
    _refuse_another_language(inputs, language)
    model = _model_of_inputs(config, inputs, source)
    inputs.read()
    if inputs.left_out:
        shown = "; ".join(f"{name}, {why}" for name, why in list(inputs.left_out.items())[:SHOWN_LEFT_OUT])
        more = len(inputs.left_out) - SHOWN_LEFT_OUT
        LOGGER.warning("left out: %s%s", shown, f" and {more} more, see config.json" if more > 0 else "")
    splits = identity_folds(inputs.data.names, config.validation.folds, seed)[: model.members]
    return HeadSources(config, model, inputs, splits, device, seed)


def _refuse_another_language(inputs: HeadInputs, language: str) -> None:
    """Raise ConfigError where an encoder has learned another language: what is unheard must be unheard at every stage."""
    for modality, information in inputs.information.items():
        learned = information.get("trained_language", language)
        if learned != language:
            raise ConfigError(
                f"{inputs.places[modality]}: the {modality} encoder was trained on {learned}; a language that is unheard "
                f"must be unheard at every stage. Train it with --language {language}"
            )


def _model_of_inputs(config: AssociationConfig, inputs: HeadInputs, source: str) -> ModelConfig:
    dimensions = {f"{modality}_dimension": dimension for modality, dimension in inputs.dimensions.items()}
    for (name, dimension), place in zip(dimensions.items(), inputs.places.values(), strict=True):
        stated = config.model.get(name, dimension)
        if stated != dimension:
            raise ConfigError(
                f"{source}.{name} is {stated}, but {place} holds vectors of {dimension} numbers. Leave the key "
                "away to take the store's, or extract features with the encoder that the configuration is for."
            )
    model = model_config({**config.model, **dimensions}, source)
    if (model.alignment_width or _canonical_width(model)) and config.alignment is None:
        reason = (
            "which are fitted to vectors that stay" if config.encoders else "and needs the section alignment"
        )
        raise ConfigError(f"{source} has canonical directions, {reason}")
    if config.encoders is not None and model.members > 1:
        raise ConfigError(f"{source}.members must be 1 where encoders learn along: there is one of each")
    return model


def _make_member(sources: HeadSources, number: int, starting: "StartingWeights | None") -> Member:
    config, inputs, split = sources.config, sources.inputs, sources.splits[number]
    training, validation = inputs.people(split.training), inputs.people(split.validation)
    alignment = None
    if sources.model.alignment_width is not None:
        assert isinstance(training, ResidentPeople), "checked with the model"
        settings = _alignment_settings(config.alignment, sources.model.alignment_width)
        alignment = fit_alignment(training.voices.identity_items(), training.faces.identity_items(), settings)
    head = build_member(sources.model, alignment)
    if starting is not None:
        starting.fill(head, number)
    network = with_common_batch_norms(inputs.network(head).to(sources.device))
    objective = config.objective.build(head, len(split.training), config.steps)
    seed = stream_seed(sources.seed, number)
    return Member(
        AssociationStep(network, objective).to(sources.device),
        None if config.batch is None else inputs.batches(training, config.batch, seed),
        PeopleValidation(validation, split.validation, config.validation, seed),
        optimizer=config.optimizer,
        steps=config.steps,
        weights=config.objective.term_weights,
        finish=_finish(sources, training),
        encoder_rate_share=_encoder_rate_share(config),
    )


def _encoder_rate_share(config: AssociationConfig) -> float:
    if config.encoders is None or config.optimizer is None:
        return 1.0
    return config.encoders.learning_rate / config.optimizer.learning_rate


def _finish(sources: HeadSources, training: ComparedPeople) -> Finish | None:
    width = _canonical_width(sources.model)
    if width is None:
        return None
    settings = _alignment_settings(sources.config.alignment, width)

    def fit(model: Any) -> SharedSpace:
        assert isinstance(training, ResidentPeople), "checked with the model"
        return with_fitted_outputs(model, training, settings)

    return fit


def _canonical_width(model: ModelConfig) -> int | None:
    return model.canonical_width if isinstance(model, SharedSpaceConfig) else None


def _alignment_settings(config: AlignmentConfig | None, width: int) -> AlignmentSettings:
    assert config is not None, "checked with the model"
    return AlignmentSettings(
        components=width, principal_components=config.principal_components, shrinkage=config.shrinkage
    )


def _validation_scores(
    sources: HeadSources, members: Sequence[Member], weights: Mapping[str, Tensor]
) -> pd.DataFrame:
    """Every member's validation pairs scored with the weights that are kept, MOST_VALIDATION_SCORES at most."""
    tables = []
    for number, member in enumerate(members):
        prefix = f"members.{number}."
        model = sources.inputs.network(sources.model.build()).to(sources.device)
        model.load_state_dict(
            {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        )
        tables.append(member.validation.table(model).assign(member=number))
    table = pd.concat(tables, ignore_index=True)
    if len(table) <= MOST_VALIDATION_SCORES:
        return table
    chosen = random_stream("validation scores", sources.seed).choice(
        len(table), MOST_VALIDATION_SCORES, replace=False
    )
    return table.iloc[sorted(chosen)].reset_index(drop=True)


def _resolved(sources: HeadSources, language: str) -> dict[str, Any]:
    """The checkpoint's configuration: all that rebuilds the model and says how it was trained."""
    return {
        "recipe": sources.config.recipe,
        "model": config_mapping(sources.model),
        "training": config_mapping(sources.config),
        "language": language,
        "seed": sources.seed,
        "encoders": sources.inputs.information,
        "identities": {
            "training": sorted({name for split in sources.splits for name in split.training}),
            "validation": sorted({name for split in sources.splits for name in split.validation}),
            "members": [asdict(split) for split in sources.splits],
        },
        "left_out": sources.inputs.left_out,
        "version": __version__,
    }


def _failure_message(failure: str | None, kept: str) -> str:
    return f"the loss stopped being finite {failure}. Lower optimizer.learning_rate or optimizer.gradient_clip; {kept}."
