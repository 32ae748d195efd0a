"""The contract of an encoder: what goes in, what comes out, and where its weights come from."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from src.artifacts.sources import Modality


@dataclass(frozen=True, kw_only=True)
class WaveformInput:
    """Mono waveforms, float32, full scale = 1: (batch, samples), one length a batch.

    sample_rate_hz: what the encoder was trained at.
    shortest_seconds: below it there is too little speech for a vector.
    """

    sample_rate_hz: int = 16_000
    shortest_seconds: float = 0.5

    @property
    def shortest_samples(self) -> int:
        """`shortest_seconds` in samples."""
        return round(self.shortest_seconds * self.sample_rate_hz)


@dataclass(frozen=True, kw_only=True)
class CropInput:
    """Square face crops, RGB uint8: (batch, 3, pixels, pixels).

    pixels: side of the square.
    """

    pixels: int


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the weights come from.

    weights_path: the file that was read.
    weights_sha256: its checksum.
    source: who published it, and how it was trained.
    """

    weights_path: str
    weights_sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A frozen network behind one contract.

    name: as in the registry.
    modality: "voice" or "face".
    dimension: length of a vector.
    input: what `embed` takes.
    provenance: where the weights come from.
    network: the module, in evaluation mode, on `device`.
    device: where it computes.
    """

    name: str
    modality: Modality
    dimension: int
    input: WaveformInput | CropInput
    provenance: Provenance
    network: nn.Module = field(repr=False)
    device: torch.device

    @torch.inference_mode()
    def embed(self, batch: Tensor) -> Tensor:
        """Vectors of a batch, float32 on the CPU: (batch, dimension), as the network gives them.

        batch: waveforms (batch, samples) float32 for a voice encoder, crops (batch, 3, pixels, pixels)
            uint8 RGB for a face encoder; on any device. All of a batch have one length: nothing is padded.
        Raises ValueError for a batch of another shape or type, or waveforms that are too short.
        """
        self._check(batch)
        vectors: Tensor = self.network(batch.to(self.device, non_blocking=True))
        return vectors.float().cpu()

    def prepare_crop(self, pixels: np.ndarray) -> Tensor:
        """One decoded crop, RGB uint8 (height, width, 3), at the size that the encoder takes: (3, p, p) uint8."""
        assert isinstance(self.input, CropInput), f"{self.name} is not a face encoder"
        side = self.input.pixels
        if pixels.shape[:2] != (side, side):
            shrinks = min(pixels.shape[:2]) >= side
            pixels = cv2.resize(
                pixels, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))

    def description(self) -> dict[str, Any]:
        """What an embedding store keeps of its encoder, ready for JSON."""
        return {
            "modality": self.modality,
            "encoder": self.name,
            "dimension": self.dimension,
            "weights_sha256": self.provenance.weights_sha256,
            "weights_source": self.provenance.source,
        }

    def _check(self, batch: Tensor) -> None:
        shape = tuple(batch.shape)
        if isinstance(self.input, CropInput):
            side = self.input.pixels
            if batch.dtype != torch.uint8 or shape[1:] != (3, side, side):
                raise ValueError(
                    f"{self.name} takes uint8 crops (batch, 3, {side}, {side}), got {batch.dtype} {shape}"
                )
        elif batch.dtype != torch.float32 or len(shape) != 2:
            raise ValueError(
                f"{self.name} takes float32 waveforms (batch, samples), got {batch.dtype} {shape}"
            )
        elif shape[1] < self.input.shortest_samples:
            raise ValueError(
                f"{self.name} needs at least {self.input.shortest_seconds} s of speech, got {shape[1]} samples"
            )
