"""The contract of an encoder: what goes in, what comes out, and where its weights come from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from src.artifacts.sources import Modality
from src.models.inference_form import LowerPrecision, Precision, fold_batch_norms


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
    trained_language: the one language that it was trained on; None where it is unknown, or not one.
    """

    weights_path: str
    weights_sha256: str
    source: str
    trained_language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What an encoder takes at once.

    media: as `Encoder.embed` says.
    sample_counts: of waveforms of several lengths the samples of each, behind which there are zeros; None where all
        have one length.
    """

    media: Tensor
    sample_counts: Sequence[int] | None = None


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
    mixes_lengths: whether waveforms of several lengths may share a batch without changing each other's vectors.
    weights_prefix: of the names in the network's state dict that a file of weights holds, without it.
    """

    name: str
    modality: Modality
    dimension: int
    input: WaveformInput | CropInput
    provenance: Provenance
    network: nn.Module = field(repr=False)
    device: torch.device
    mixes_lengths: bool = False
    weights_prefix: str = ""

    def for_inference(self, precision: Precision = "float32") -> "Encoder":
        """The same encoder with its network rearranged for speed; the original is left as it is.

        In float32 the vectors differ by rounding alone. In bfloat16 the matrix products do their arithmetic in that type.
        """
        low = precision == "bfloat16"
        if isinstance(self.input, CropInput):
            folded = fold_batch_norms(self.network)
            return replace(self, network=LowerPrecision(folded) if low else folded)
        # Importing them imports SpeechBrain, which takes seconds that only voices pay.
        from src.models.frame_major_ecapa import FrameMajorSpeakerEncoder
        from src.models.speaker_encoder import SpeakerEncoder

        if isinstance(self.network, SpeakerEncoder):
            network = FrameMajorSpeakerEncoder(self.network, bfloat16=low).eval()
            return replace(self, network=network, mixes_lengths=True)
        return replace(self, network=LowerPrecision(self.network)) if low else self

    def embed(self, batch: Tensor) -> Tensor:
        """Vectors of a batch, float32 on the CPU: (batch, dimension), as the network gives them.

        batch: waveforms (batch, samples) float32 for a voice encoder, crops (batch, 3, pixels, pixels)
            uint8 RGB for a face encoder; on any device. All of a batch have one length: nothing is padded.
        Raises ValueError for a batch of another shape or type, or waveforms that are too short.
        """
        return next(self.embed_each([Batch(media=batch)]))

    def embed_each(self, batches: Iterable[Batch]) -> Iterator[Tensor]:
        """Vectors of each batch in turn, as `embed` gives them.

        A GPU computes while the caller makes the next batch: vectors come one batch late. Raises as `embed` does.
        """
        waiting: _Result | None = None
        for batch in batches:
            self._check(batch)
            started = self._start(batch)
            if waiting is not None:
                yield waiting.vectors()
            waiting = started
        if waiting is not None:
            yield waiting.vectors()

    @torch.inference_mode()
    def _start(self, batch: Batch) -> "_Result":
        on_gpu = self.device.type == "cuda"
        # From pinned memory the copy does not keep the caller waiting.
        media = batch.media.pin_memory() if on_gpu and batch.media.device.type == "cpu" else batch.media
        media = media.to(self.device, non_blocking=True)
        lengths = [] if batch.sample_counts is None else [batch.sample_counts]
        vectors: Tensor = self.network(media, *lengths).float()
        if not on_gpu:
            return _Result(vectors.cpu(), None)
        host = torch.empty(vectors.shape, dtype=vectors.dtype, pin_memory=True)
        host.copy_(vectors, non_blocking=True)
        finished = torch.cuda.Event()
        finished.record()
        return _Result(host, finished)

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
        language = self.provenance.trained_language
        return {
            "modality": self.modality,
            "encoder": self.name,
            "dimension": self.dimension,
            "weights_sha256": self.provenance.weights_sha256,
            "weights_source": self.provenance.source,
            **({} if language is None else {"trained_language": language}),
        }

    def _check(self, batch: Batch) -> None:
        media, shape = batch.media, tuple(batch.media.shape)
        if isinstance(self.input, CropInput):
            side = self.input.pixels
            if media.dtype != torch.uint8 or shape[1:] != (3, side, side) or batch.sample_counts is not None:
                raise ValueError(
                    f"{self.name} takes uint8 crops (batch, 3, {side}, {side}), got {media.dtype} {shape}"
                )
            return
        if media.dtype != torch.float32 or len(shape) != 2:
            raise ValueError(
                f"{self.name} takes float32 waveforms (batch, samples), got {media.dtype} {shape}"
            )
        counts = batch.sample_counts
        if counts is not None and not self.mixes_lengths:
            raise ValueError(f"{self.name} takes waveforms of one length, got sample counts")
        if counts is not None and (len(counts) != shape[0] or max(counts, default=0) > shape[1]):
            raise ValueError(f"{self.name}: sample counts {list(counts)} do not fit waveforms {shape}")
        shortest = shape[1] if counts is None else min(counts, default=0)
        if shortest < self.input.shortest_samples:
            raise ValueError(
                f"{self.name} needs at least {self.input.shortest_seconds} s of speech, got {shortest} samples"
            )


@dataclass(frozen=True)
class _Result:
    """Vectors that are there, or on their way from the GPU until `finished`."""

    host: Tensor
    finished: torch.cuda.Event | None

    def vectors(self) -> Tensor:
        if self.finished is not None:
            self.finished.synchronize()
        return self.host
