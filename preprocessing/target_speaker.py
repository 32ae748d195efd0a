"""Marking one speaker in whole recordings: the keynote network over chunks that overlap."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from src.encoders.keynote_weights import LoadedKeynote
from src.media.frames import FRAME_SAMPLES, frame_count, frames_of
from src.models.keynote_network import FRAMES_PER_TOKEN, conversation_features

_CHUNKS_IN_BATCH = 8
_PROMPTS_IN_BATCH = 8


@dataclass(frozen=True)
class Chunk:
    """A stretch of a recording as the network reads it; little memory, for recordings of hours.

    recording: index of the recording. first_frame: where it begins. samples: its part of the recording, not a copy.
    states, vectors: the network's `token_states` and the local speaker vectors, (1, tokens, …) in half precision.
    """

    recording: int
    first_frame: int
    samples: np.ndarray
    states: torch.Tensor
    vectors: torch.Tensor

    @property
    def frames(self) -> int:
        """Its length in whole tokens."""
        return self.vectors.shape[1] * FRAMES_PER_TOKEN


class TargetSpeakerMarker:
    """Reads recordings chunk by chunk, and marks in them whom it is asked for.

    chunk_seconds: length of a chunk, as in training. overlap_seconds: of neighbouring chunks.
    """

    def __init__(self, keynote: LoadedKeynote, chunk_seconds: float, overlap_seconds: float) -> None:
        self._keynote = keynote
        self._chunk_frames = frames_of(chunk_seconds)
        self._hop_frames = frames_of(chunk_seconds - overlap_seconds)

    @torch.inference_mode()
    def read(self, recordings: Sequence[np.ndarray]) -> list[Chunk]:
        """The chunks of recordings (samples,), in order; recordings shorter than 0.1 s have none."""
        chunks = []
        for index, samples in enumerate(recordings):
            for first in self.first_frames(frame_count(len(samples))):
                cut = samples[first * FRAME_SAMPLES : (first + self._chunk_frames) * FRAME_SAMPLES]
                if len(cut) < FRAMES_PER_TOKEN * FRAME_SAMPLES:
                    continue
                features = conversation_features(self._keynote.encoder, self._waveforms([cut]))
                states = self._keynote.network.token_states(features.tokens, features.vectors)
                chunks.append(Chunk(index, first, cut, states.half().cpu(), features.vectors.half().cpu()))
        return chunks

    def first_frames(self, frames: int) -> list[int]:
        """Where chunks begin; the last one ends with the recording, so that all but short recordings have whole chunks."""
        if frames <= self._chunk_frames:
            return [0]
        last = frames - self._chunk_frames
        count = 1 + -(-last // self._hop_frames)
        return np.linspace(0, last, count).round().astype(int).tolist()

    @torch.inference_mode()
    def mark(self, chunks: Sequence[Chunk], prompts: torch.Tensor) -> list[np.ndarray]:
        """Probabilities that the marked speaker speaks, and that anybody else does: (frames, 2) a chunk.

        prompts: unit vectors (chunks, dimension), zeros for whoever talks most in the chunk.
        """
        found: list[np.ndarray] = [np.zeros((0, 2), np.float32)] * len(chunks)
        by_length = sorted(range(len(chunks)), key=lambda place: len(chunks[place].samples))
        start = 0
        while start < len(by_length):
            samples = len(chunks[by_length[start]].samples)
            batch = [
                place
                for place in by_length[start : start + _CHUNKS_IN_BATCH]
                if len(chunks[place].samples) == samples
            ]
            logits = self._logits([chunks[place] for place in batch], prompts[batch])
            for place, marks in zip(batch, logits.sigmoid().cpu().numpy(), strict=True):
                found[place] = marks
            start += len(batch)
        return found

    def _logits(self, chunks: Sequence[Chunk], prompts: torch.Tensor) -> torch.Tensor:
        """The network's answers on chunks of one length, to a prompt each."""
        logits: torch.Tensor = self._keynote.network.mark_frames(
            *self._features(chunks), prompts.to(self._keynote.device)
        )
        return logits

    def _features(self, chunks: Sequence[Chunk]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Bands, states and vectors of chunks of one length, on the device. The bands are too large to keep."""
        states, vectors = (
            torch.cat([getattr(chunk, name) for chunk in chunks]).float().to(self._keynote.device)
            for name in ("states", "vectors")
        )
        bands = self._keynote.encoder.mel_bands(self._waveforms([chunk.samples for chunk in chunks]))
        return bands[:, : chunks[0].frames], states, vectors

    def _waveforms(self, cuts: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(cuts).astype(np.float32)).to(self._keynote.device)

    def join(
        self, chunks: Sequence[Chunk], marks: Sequence[np.ndarray], frame_counts: Sequence[int]
    ) -> list[np.ndarray]:
        """Probabilities (frames, 2) of whole recordings; where chunks overlap, each counts less towards its ends."""
        joined = [np.zeros((frames, 2), np.float32) for frames in frame_counts]
        _add_weighted(joined, chunks, marks)
        return joined

    def mark_speakers(self, chunks: Sequence[Chunk], prompts: torch.Tensor) -> Iterator[np.ndarray]:
        """For each chunk in turn, the probabilities that each speaker speaks and that anybody else does: float32
        (speakers, frames, 2). prompts: unit vectors (speakers, dimension)."""
        for chunk in chunks:
            yield self._mark_chunk(chunk, prompts)

    @torch.inference_mode()
    def _mark_chunk(self, chunk: Chunk, prompts: torch.Tensor) -> np.ndarray:
        features = self._features([chunk])
        logits = [
            self._keynote.network.mark_frames(*features, some.to(self._keynote.device))
            for some in prompts.split(_PROMPTS_IN_BATCH)
        ]
        return np.asarray(torch.cat(logits).sigmoid().cpu().numpy())


def join_speakers(
    chunks: Sequence[Chunk], marks: Iterable[np.ndarray], frame_counts: Sequence[int], speakers: int
) -> list[np.ndarray]:
    """What `mark_speakers` finds, of whole recordings: (speakers, frames, 2) each.

    In half precision, which bounds the memory of recordings of hours.
    """
    joined = [np.zeros((speakers, frames, 2), np.float16) for frames in frame_counts]
    _add_weighted(joined, chunks, marks)
    return joined


def _add_weighted(joined: Sequence[np.ndarray], chunks: Sequence[Chunk], marks: Iterable[np.ndarray]) -> None:
    """Add the marks of chunks (…, frames, 2) to those of their recordings (…, frames, 2), zeros before."""
    frame_counts = [one.shape[-2] for one in joined]
    for chunk, mark, weights in zip(chunks, marks, _weights(chunks, frame_counts), strict=True):
        span = slice(chunk.first_frame, chunk.first_frame + len(weights))
        whole = joined[chunk.recording]
        whole[..., span, :] += (weights[:, None] * mark[..., : len(weights), :]).astype(whole.dtype)


def _weights(chunks: Sequence[Chunk], frame_counts: Sequence[int]) -> list[np.ndarray]:
    """What each frame of each chunk counts for in its recording: less towards the ends; they sum to 1 in every frame."""
    totals = [np.zeros(frames, np.float32) for frames in frame_counts]
    shapes = []
    for chunk in chunks:
        room = min(chunk.frames, frame_counts[chunk.recording] - chunk.first_frame)
        shapes.append(np.bartlett(chunk.frames + 2)[1 : 1 + room].astype(np.float32))
        totals[chunk.recording][chunk.first_frame : chunk.first_frame + room] += shapes[-1]
    return [
        shape / totals[chunk.recording][chunk.first_frame : chunk.first_frame + len(shape)]
        for chunk, shape in zip(chunks, shapes, strict=True)
    ]


def mean_vector(chunk: Chunk, wanted: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of the local vectors of the tokens that lie wholly in the mask `wanted` (frames,), not of unit length,
    and how many they are."""
    whole = wanted[: len(wanted) // FRAMES_PER_TOKEN * FRAMES_PER_TOKEN]
    tokens = np.asarray(whole.reshape(-1, FRAMES_PER_TOKEN).all(axis=1))
    vectors = chunk.vectors[0].float().numpy()[: len(tokens)]
    if not tokens.any():
        return np.zeros(vectors.shape[1], np.float32), 0.0
    return vectors[tokens].mean(axis=0), float(tokens.sum())
