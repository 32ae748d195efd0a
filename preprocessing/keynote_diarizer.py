"""The keynote diarizer: a network that marks whoever talks most, and the others as one.

It is asked of each chunk who talks most there. Then all chunks are asked for each of the people whom chunks have named,
and who talks most over all of them is the keynote speaker of the group: the identity is the same in all chunks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from preprocessing.speaker_frames import KEYNOTE, Recordings, SpeakerFrames
from preprocessing.speech_settings import KeynoteDiarizerSettings
from preprocessing.target_speaker import Chunk, TargetSpeakerMarker, mean_vector
from src.core.config import config_mapping
from src.encoders.keynote_weights import load_keynote
from src.media.frames import frame_count

_MOST_CANDIDATES = 5


class KeynoteDiarizer:
    """Gives two columns: the keynote speaker, and anybody else. Raises WeightsError where weights are missing."""

    def __init__(self, settings: KeynoteDiarizerSettings, device: torch.device) -> None:
        keynote = load_keynote(settings.model, device)
        self._settings = settings
        self._marker = TargetSpeakerMarker(keynote, settings.chunk_seconds, settings.overlap_seconds)
        self._weights_sha256 = keynote.weights_sha256

    def __call__(self, groups: Sequence[Recordings]) -> list[list[SpeakerFrames]]:
        """The keynote speaker of each group."""
        return [self._group(recordings) for recordings in groups]

    def description(self) -> dict[str, Any]:
        """Settings and weights; where the weights lie does not matter."""
        settings = {key: value for key, value in config_mapping(self._settings).items() if key != "model"}
        return {"name": "keynote", **settings, "weights_sha256": self._weights_sha256}

    def _group(self, recordings: Recordings) -> list[SpeakerFrames]:
        frames = [frame_count(len(samples)) for samples in recordings]
        chunks = self._marker.read(recordings)
        marks = self._mark(chunks) if chunks else []
        return [self._decide(joined) for joined in self._marker.join(chunks, marks, frames)]

    def _decide(self, probabilities: np.ndarray) -> SpeakerFrames:
        """probabilities: of the keynote speaker and of others (frames, 2)."""
        active = probabilities >= self._settings.threshold
        sure = probabilities[:, KEYNOTE] >= self._settings.certain_probability
        return SpeakerFrames(active=active, certain=sure | ~active[:, KEYNOTE])

    def _mark(self, chunks: Sequence[Chunk]) -> list[np.ndarray]:
        """Probabilities (frames, 2) of the keynote speaker and of others in each chunk."""
        threshold = self._settings.threshold
        dimension = chunks[0].vectors.shape[2]
        marks = self._marker.mark(chunks, torch.zeros(len(chunks), dimension))
        if len(chunks) == 1:
            return marks
        alone = [(mark[:, 0] >= threshold) & (mark[:, 1] < threshold) for mark in marks]
        named = [mean_vector(chunk, mask) for chunk, mask in zip(chunks, alone, strict=True)]
        candidates = different_speakers(
            np.stack([mean for mean, _ in named]),
            np.array([tokens for _, tokens in named]),
            self._settings.same_speaker_similarity,
        )
        answers = [
            self._marker.mark(chunks, torch.from_numpy(prompt).expand(len(chunks), -1))
            for prompt in candidates[:_MOST_CANDIDATES]
        ]
        talk = [sum(int((mark[:, 0] >= threshold).sum()) for mark in answer) for answer in answers]
        return answers[int(np.argmax(talk))] if answers else marks


def different_speakers(vectors: np.ndarray, weights: np.ndarray, similarity: float) -> list[np.ndarray]:
    """Unit vectors of the people whom chunks name, by falling weight.

    vectors: whom each chunk names (chunks, dimension). weights: how long each hears them (chunks,).
    similarity: cosine from which two chunks mean the same person.
    """
    directions = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    alike = directions @ directions.T >= similarity
    left, found = weights > 0, []
    while left.any():
        leader = int(np.where(left, alike @ (weights * left), -1).argmax())
        members = left & alike[leader]
        members[leader] = True
        common = (vectors * (weights * members)[:, None]).sum(axis=0)
        found.append(np.asarray(common / max(float(np.linalg.norm(common)), 1e-6), np.float32))
        left &= ~members
    return found
