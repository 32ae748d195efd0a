"""Checkpoints of pyannote.audio, which are pickles that it would run, as streams that hold nothing that could be run.

What a checkpoint may hold besides tensors, numbers and texts is named here: the description of what a model was trained
for, and remains of its training, which are read as nothing and left out. Everything else is refused before it is called.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from src.core.errors import WeightsError

_MODELS = "pyannote.audio.models."
_KEPT = (
    "state_dict",
    "hyper_parameters",
    "pyannote.audio",
    "pytorch-lightning_version",
    "epoch",
    "global_step",
)
_REMAINS_OF_TRAINING = (
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning.pytorch.callbacks.early_stopping.EarlyStopping",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "pyannote.audio.core.model.Introspection",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "typing.Any",
)


class _Nothing:
    """Stands for a class whose instances are not needed, and takes whatever they are made of."""

    def __new__(cls, *_arguments: object) -> "_Nothing":
        return super().__new__(cls)

    def __init__(self, *_arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def harmless_checkpoint(path: Path) -> io.BytesIO:
    """What pyannote.audio needs of a checkpoint, written anew. Raises WeightsError for one that carries code."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    allowed: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        *(Problem, Resolution, Specifications, torch.torch_version.TorchVersion),
        *((_Nothing, name) for name in _REMAINS_OF_TRAINING),
    ]
    try:
        with torch.serialization.safe_globals(allowed):
            content = torch.load(path, map_location="cpu", weights_only=True)
        checkpoint = {name: content[name] for name in _KEPT if name in content}
        architecture = checkpoint["pyannote.audio"]["architecture"]
        module, name = architecture["module"], architecture["class"]
    except Exception as error:  # damaged bytes make the parser raise nearly anything
        raise WeightsError(
            f"{path}: not readable as a checkpoint of pyannote.audio: it is damaged, cut short, or carries code "
            f"(such files are never run). Fetch it again. ({type(error).__name__})"
        ) from error
    if not f"{module}.".startswith(_MODELS):
        raise WeightsError(f"{path}: wants the class {module}.{name}, which is no model of pyannote.audio.")
    stream = io.BytesIO()
    torch.save(_without_nothing(checkpoint), stream)
    stream.seek(0)
    return stream


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _without_nothing(one) for name, one in value.items() if not isinstance(one, _Nothing)}
        return type(value)(kept)
    return value
