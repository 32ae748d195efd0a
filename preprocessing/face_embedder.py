"""Faces to vectors, for telling people apart within a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src.core.errors import WeightsError
from src.encoders.contract import CropInput, Encoder
from src.encoders.registry import load_encoder

_BATCH_FACES = 64


class FaceEmbedder:
    """A face encoder, fed with crops of any size."""

    def __init__(self, encoder: Encoder) -> None:
        assert isinstance(encoder.input, CropInput), f"{encoder.name} is no face encoder"
        self.encoder = encoder
        self.name = encoder.name

    def description(self) -> dict[str, Any]:
        """The encoder and the checksum of its weights, ready for JSON."""
        return self.encoder.description()

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors of one or more square crops, RGB uint8 (height, width, 3) each: float32 (count, dimension)."""
        blocks = [crops[first : first + _BATCH_FACES] for first in range(0, len(crops), _BATCH_FACES)]
        vectors = np.concatenate([self._embed_block(block) for block in blocks])
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))

    def _embed_block(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        return self.encoder.embed(torch.stack([self.encoder.prepare_crop(crop) for crop in crops])).numpy()


def load_face_embedder(name: str | None, weights: Path | None, device: torch.device) -> FaceEmbedder | None:
    """The encoder of that name; None where no people are compared.

    name, weights: as `load_encoder` takes them. Raises WeightsError that names every way to go on, that without an
    encoder included.
    """
    if name is None:
        return None
    try:
        return FaceEmbedder(load_encoder(name, device, weights))
    except WeightsError as error:
        raise WeightsError(
            f"{error}\nOr do without: --face-choice image looks at every photograph by itself and needs no encoder."
        ) from error
