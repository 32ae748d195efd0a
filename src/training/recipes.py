"""Recipes by name: which training a configuration's `recipe` asks for, and what the command line must give it."""

import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.core.config import apply_override, read_yaml_mapping
from src.core.errors import ConfigError
from src.core.output_lock import locked_output
from src.core.torchrun import is_first_launched, require_single_process


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What the user asks for.

    config: YAML file. out: checkpoint folder. overrides: `key=value` settings that win over the file.
    features: for heads. media: for encoders, and for heads whose encoders learn along. language: for heads, and for
    encoders from a work folder. device: auto, cpu or cuda. seed: None takes the recipe's own. resume: go on with a
    training that was stopped in `out`; encoders always do.
    """

    config: Path
    out: Path
    overrides: list[str]
    features: Path | None
    language: str | None
    media: list[Path] | None
    device: str
    seed: int | None
    resume: bool = False


def run_recipe(request: TrainingRequest) -> int:
    """Train; returns the exit status. Raises ConfigError for an unknown recipe and for options that it lacks."""
    name = _settings(request).get("recipe")
    if name not in RECIPES:
        raise ConfigError(f"{request.config}: recipe {name!r} is not one of {', '.join(sorted(RECIPES))}")
    return RECIPES[name](request)


def _settings(request: TrainingRequest) -> dict[str, Any]:
    """The configuration as it was written, overrides included."""
    mapping = read_yaml_mapping(request.config)
    for override in request.overrides:
        apply_override(mapping, override)
    return mapping


def _train_head(request: TrainingRequest) -> int:
    learns_encoders = _settings(request).get("encoders") is not None
    _required(request, "media" if learns_encoders else "features")
    _refused(request, "features" if learns_encoders else "media")
    language: str = _required(request, "language")
    if request.media is not None and len(request.media) > 1:
        raise ConfigError(f"{request.config}: this recipe takes one --media, a work folder of preprocessing")
    with _one_training(request.out):
        return _train_head_alone(request, language)


def _train_head_alone(request: TrainingRequest, language: str) -> int:
    from src.training.association_training import train_association
    from src.training.processes import is_first_process, process_group

    with process_group(request.device):
        metrics = train_association(
            request.config,
            request.overrides,
            features=request.features,
            media=request.media[0] if request.media else None,
            language=language,
            out=request.out,
            device_name=request.device,
            seed=request.seed or 0,
            resume=request.resume,
        )
        if is_first_process():
            sys.stderr.write(
                f"{request.out}: validation EER {metrics['validation_eer']:.1%} at epoch {metrics['epoch']} of "
                f"{metrics['epochs_trained']}, {metrics['training_seconds']:.1f} s\n"
            )
    return 0


def _media_recipe(
    module: str, function_name: str, *, takes_language: bool = False
) -> Callable[[TrainingRequest], int]:
    def train(request: TrainingRequest) -> int:
        media: list[Path] = _required(request, "media")
        _refused(request, "features")
        if not takes_language:
            _refused(request, "language")
        require_single_process(f"{request.config}: this recipe")
        with _one_training(request.out):
            return train_alone(request, media)

    def train_alone(request: TrainingRequest, media: list[Path]) -> int:
        function = getattr(importlib.import_module(module), function_name)
        overrides = (
            request.overrides if request.seed is None else [*request.overrides, f"seed={request.seed}"]
        )
        more = {"language": request.language} if takes_language else {}
        return int(function(request.config, overrides, media, request.out, request.device, **more))

    return train


def _one_training(out: Path) -> AbstractContextManager[Any]:
    """Keeps a second training away from `out`; the processes that torchrun has started are one, of which the first holds it."""
    return locked_output(out) if is_first_launched() else nullcontext()


def _required(request: TrainingRequest, option: str) -> Any:
    value = getattr(request, option)
    if value is None:
        raise ConfigError(f"{request.config}: this recipe needs --{option}; see python train.py --help")
    return value


def _refused(request: TrainingRequest, option: str) -> None:
    if getattr(request, option) is not None:
        raise ConfigError(f"{request.config}: this recipe takes no --{option}; see python train.py --help")


RECIPES: dict[str, Callable[[TrainingRequest], int]] = {
    "association": _train_head,
    "speaker_encoder": _media_recipe(
        "src.training.encoder_training", "train_speaker_encoder", takes_language=True
    ),
    "speaker_whitening": _media_recipe("src.training.speaker_whitening", "whiten_speaker_encoder"),
    "face_encoder": _media_recipe("src.training.encoder_training", "train_face_encoder", takes_language=True),
    "keynote": _media_recipe("src.training.keynote_training", "train_keynote"),
}
