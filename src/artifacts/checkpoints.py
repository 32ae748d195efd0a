"""A checkpoint folder: safetensors weights, the resolved configuration, metrics and a log.

    CHECKPOINT/model.safetensors   weights
    CHECKPOINT/config.json         what rebuilds the model and says how it was trained
    CHECKPOINT/metrics.json        what was measured at the chosen epoch
    CHECKPOINT/training_log.csv    one row an epoch
    CHECKPOINT/validation_scores.parquet
                                   heads: scores of pairs of people who took no part in the training, one row a pair
    CHECKPOINT/calibration.json    heads: what makes probabilities of its scores (calibration_file.py)
    CHECKPOINT/encoders/MODALITY/  heads: an encoder that learned along, a checkpoint folder of its own

Nothing in it is ever executed: weights are plain tensors, everything else is JSON and CSV.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from src.artifacts.byte_weights import from_bytes
from src.core.errors import CheckpointError
from src.core.files import atomic_path, read_json, write_json

WEIGHTS_FILE, CONFIG_FILE, METRICS_FILE, LOG_FILE = (
    "model.safetensors",
    "config.json",
    "metrics.json",
    "training_log.csv",
)
ENCODERS_FOLDER = "encoders"
VALIDATION_SCORES_FILE = "validation_scores.parquet"
VALIDATION_COLUMNS = ("score", "label", "voice_identity", "face_identity", "member")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder holds."""

    folder: Path
    weights: dict[str, torch.Tensor]
    config: dict[str, Any]
    metrics: dict[str, Any]


def save_checkpoint(
    folder: Path, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], metrics: Mapping[str, Any]
) -> None:
    """Write the folder; the weights come last, so that a folder with weights is whole."""
    write_json(folder / CONFIG_FILE, config)
    write_json(folder / METRICS_FILE, metrics)
    tensors = {name: tensor.detach().to("cpu").contiguous() for name, tensor in weights.items()}
    with atomic_path(folder / WEIGHTS_FILE) as temporary:
        save_file(tensors, temporary)


def save_validation_scores(folder: Path, scores: pd.DataFrame) -> None:
    """Write scores of validation pairs; columns: VALIDATION_COLUMNS.

    score: lower = same person. label: 1 for one person, 0 for two. member: whose held-out people they are, and whose
    score it is.
    """
    with atomic_path(folder / VALIDATION_SCORES_FILE) as temporary:
        scores[list(VALIDATION_COLUMNS)].to_parquet(temporary, index=False)


def load_validation_scores(folder: Path) -> pd.DataFrame:
    """Read what `save_validation_scores` wrote. Raises CheckpointError when it is absent or not readable."""
    path = folder / VALIDATION_SCORES_FILE
    if not path.is_file():
        raise CheckpointError(f"{folder}: has no {VALIDATION_SCORES_FILE}; train the head again to have it")
    try:
        scores = pd.read_parquet(path, columns=list(VALIDATION_COLUMNS))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not readable as scores of validation pairs: {error}") from error
    return scores


def half_precision(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices and kernels as float16, half the size; vectors (biases, running statistics) stay, for their range."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        for name, tensor in weights.items()
    }


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint folder. Raises CheckpointError when it is not one or is damaged."""
    weights_path, config_path = folder / WEIGHTS_FILE, folder / CONFIG_FILE
    if not weights_path.is_file() or not config_path.is_file():
        raise CheckpointError(
            f"{folder}: not a checkpoint (it needs {WEIGHTS_FILE} and {CONFIG_FILE}). "
            "Train one: python train.py configs/best.yaml --features WORK/features --language LANGUAGE --out DIR"
        )
    try:
        weights = from_bytes(load_file(weights_path))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{weights_path}: damaged, or not a safetensors file: {error}") from error
    metrics_path = folder / METRICS_FILE
    metrics = _read_mapping(metrics_path) if metrics_path.is_file() else {}
    return Checkpoint(folder, weights, _read_mapping(config_path), metrics)


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged, or not a JSON file: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds {type(content).__name__}, not a mapping")
    return content


def load_weights(model: torch.nn.Module, checkpoint: Checkpoint) -> None:
    """Put the checkpoint's weights into `model`. Raises CheckpointError naming what does not fit."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in checkpoint.weights.items()}
    if expected != found:
        differing = sorted(
            name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
        )
        shown = "\n  ".join(
            f"{name}: expected {expected.get(name)}, found {found.get(name)}" for name in differing[:8]
        )
        raise CheckpointError(
            f"{checkpoint.folder}: {len(differing)} weights do not fit the model:\n  {shown}"
        )
    model.load_state_dict(checkpoint.weights)


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
