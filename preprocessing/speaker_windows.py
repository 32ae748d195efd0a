"""Windows of speech, and the speaker vector of each."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from preprocessing.speech_settings import DiarizationSettings
from src.media.frames import FRAME_SAMPLES, fill_gaps, frames_of, spans_of

Embed = Callable[[Tensor], Tensor]
"""Waveforms (batch, samples) float32 at 16 kHz of one length to speaker vectors (batch, dimension)."""

_LENGTH_STEP_SECONDS = 0.25  # few different lengths make large batches


def place_windows(speech: np.ndarray, settings: DiarizationSettings) -> np.ndarray:
    """Windows over the speech of a recording: mask (frames,) to half-open frame ranges (windows, 2).

    A stretch of speech is covered evenly from its first to its last frame; what is shorter than a window
    by windows of its own length, rounded down, and what is shorter than the shortest window by one that
    reaches over its ends. A recording shorter than that has none.
    """
    shortest = frames_of(settings.shortest_window_seconds)
    windows: list[np.ndarray] = []
    if len(speech) < shortest:
        return np.zeros((0, 2), np.int64)
    for start, end in spans_of(fill_gaps(speech, frames_of(settings.bridged_pause_seconds))):
        length = _window_length(end - start, settings)
        if end - start < length:
            start = min(max(0, (start + end - length) // 2), len(speech) - length)
            end = start + length
        count = 1 + -(-(end - start - length) // frames_of(settings.hop_seconds))
        starts = np.linspace(start, end - length, count).round().astype(np.int64)
        windows.append(np.stack([starts, starts + length], axis=1))
    return np.concatenate(windows) if windows else np.zeros((0, 2), np.int64)


def _window_length(available: int, settings: DiarizationSettings) -> int:
    longest, shortest = frames_of(settings.window_seconds), frames_of(settings.shortest_window_seconds)
    if available >= longest:
        return longest
    step = frames_of(_LENGTH_STEP_SECONDS)
    return shortest + max(0, available - shortest) // step * step


def embed_windows(
    recordings: Sequence[np.ndarray], windows: Sequence[np.ndarray], embed: Embed, batch_windows: int
) -> list[np.ndarray]:
    """Unit-length speaker vectors of the windows of each recording: (windows, dimension) each.

    Windows of one length go through the encoder together, whichever recording they are from.
    """
    places_of_length: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for recording, ranges in enumerate(windows):
        for index, (start, end) in enumerate(ranges):
            places_of_length[int(end - start)].append((recording, index))
    vectors: dict[tuple[int, int], np.ndarray] = {}
    for length, places in sorted(places_of_length.items()):
        for first in range(0, len(places), batch_windows):
            block = places[first : first + batch_windows]
            batch = np.zeros((len(block), length * FRAME_SAMPLES), np.float32)
            for row, (recording, index) in zip(batch, block, strict=True):
                start = windows[recording][index][0] * FRAME_SAMPLES
                cut = recordings[recording][start : start + len(row)]
                row[: len(cut)] = cut
            embedded = embed(torch.from_numpy(batch)).numpy()
            vectors.update(zip(block, embedded / _lengths(embedded), strict=True))
    dimension = len(next(iter(vectors.values()))) if vectors else 0
    return [
        np.stack([vectors[recording, index] for index in range(len(ranges))])
        if len(ranges)
        else np.zeros((0, dimension), np.float32)
        for recording, ranges in enumerate(windows)
    ]


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
