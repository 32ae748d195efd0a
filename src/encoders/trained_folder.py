"""Checkpoint folders of encoders that were trained here: written by a training, read wherever weights are given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from src.artifacts.checkpoints import CONFIG_FILE, WEIGHTS_FILE, file_sha256, save_checkpoint
from src.core.config import config_mapping
from src.core.errors import WeightsError
from src.core.files import read_json
from src.encoders.contract import Encoder

COUNTER_SUFFIX = "num_batches_tracked"


@dataclass(frozen=True, kw_only=True)
class TrainedFolder:
    """The file of weights in such a folder, its checksum, and the language that they were trained on, where it is one."""

    weights_path: Path
    weights_sha256: str
    language: str | None


def find_trained_folder(encoder: str, given: Path) -> TrainedFolder | None:
    """What a given folder, or the file of weights in it, is; None where it is no checkpoint folder.

    Raises WeightsError where it holds another encoder.
    """
    folder = given.parent if given.name == WEIGHTS_FILE else given
    path = folder / WEIGHTS_FILE
    if not path.is_file() or not (folder / CONFIG_FILE).is_file():
        return None
    try:
        config = dict(read_json(folder / CONFIG_FILE))
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{folder / CONFIG_FILE}: damaged, or not a JSON file: {error}") from error
    refuse_another_encoder(folder, config, encoder)
    return TrainedFolder(weights_path=path, weights_sha256=file_sha256(path), language=config.get("language"))


def refuse_another_encoder(folder: Path, config: Mapping[str, Any], encoder: str) -> None:
    """Raise WeightsError unless a checkpoint's configuration names this encoder."""
    if config.get("encoder") != encoder:
        raise WeightsError(
            f"{folder}: holds `{config.get('encoder')}`, not the encoder `{encoder}` that was asked for."
        )


def save_trained_folder(
    folder: Path,
    encoder: Encoder,
    state: Mapping[str, Tensor],
    details: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> None:
    """Write weights of an encoder's network so that `encoder` can be loaded from the folder.

    state: the network's state dict. details: how it was trained, for its config.json; "language" where it is one. metrics:
    what was measured.
    """
    weights = {
        name.removeprefix(encoder.weights_prefix): tensor
        for name, tensor in state.items()
        if name.startswith(encoder.weights_prefix) and not name.endswith(COUNTER_SUFFIX)
    }
    widths = getattr(encoder.network, "config", None)  # of networks that come in several sizes
    network = {} if widths is None else config_mapping(widths)
    save_checkpoint(folder, weights, {"encoder": encoder.name, "network": network, **details}, metrics)
