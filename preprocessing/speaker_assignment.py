"""From the speaker vectors of windows to the speakers of frames, jointly in all recordings of one group.

The vectors of all recordings are clustered together, so that a speaker has one number in all of them; each
frame then takes the speaker that the windows around it are most similar to, changes being discouraged by a
Viterbi pass.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numba import njit

from preprocessing.clustering import centroids, cluster_vectors, similarities
from preprocessing.speaker_frames import SpeakerFrames, number_by_talk
from preprocessing.speech_settings import DiarizationSettings
from src.media.frames import FRAMES_PER_SECOND, spans_of


def assign_speakers(
    speech: Sequence[np.ndarray],
    windows: Sequence[np.ndarray],
    vectors: Sequence[np.ndarray],
    settings: DiarizationSettings,
) -> list[SpeakerFrames]:
    """Speakers of the frames of each recording of one group.

    speech: masks (frames,). windows: frame ranges (windows, 2). vectors: unit vectors (windows, dimension).
    """
    together = np.concatenate(vectors)
    if not len(together):
        return [SpeakerFrames(active=np.zeros((len(mask), 1), bool), certain=~mask) for mask in speech]
    labels = cluster_vectors(together, settings)
    centres = centroids(together, labels)
    found = [
        _assign_frames(mask, ranges, similarities(own, centres), settings)
        for mask, ranges, own in zip(speech, windows, vectors, strict=True)
    ]
    return number_by_talk(found)


def _assign_frames(
    speech: np.ndarray, windows: np.ndarray, window_similarities: np.ndarray, settings: DiarizationSettings
) -> SpeakerFrames:
    """Stretch by stretch, which bounds the memory of recordings of hours."""
    active = np.zeros((len(speech), window_similarities.shape[1]), bool)
    certain = ~speech
    for members in _stretches(windows):
        own = windows[members]
        first, last = int(own[:, 0].min()), int(own[:, 1].max())
        frames = frame_similarities(own - first, window_similarities[members], last - first)
        for start, end in spans_of(speech[first:last]):
            path = best_path(frames[start:end], settings.switch_cost * FRAMES_PER_SECOND)
            active[np.arange(first + start, first + end), path] = True
            margins = _margin(frames[start:end], path)
            certain[first + start : first + end] = margins >= settings.ambiguity_margin
    return SpeakerFrames(active=active, certain=certain)


def _stretches(windows: np.ndarray) -> Iterator[slice]:
    """Runs of windows, ordered by start, that cover frames without a gap between."""
    if not len(windows):
        return
    reached = np.maximum.accumulate(windows[:, 1])
    edges = np.flatnonzero(windows[1:, 0] > reached[:-1]) + 1
    for first, last in pairwise([0, *edges.tolist(), len(windows)]):
        yield slice(first, last)


def frame_similarities(windows: np.ndarray, window_similarities: np.ndarray, frames: int) -> np.ndarray:
    """Similarity of each frame to each speaker: the mean of the windows over it, weighted by how near
    the frame is to a window's middle; NaN where there is no window: (frames, speakers).
    """
    total = np.zeros((frames, window_similarities.shape[1]))
    weight = np.zeros((frames, 1))
    for (start, end), values in zip(windows, window_similarities, strict=True):
        shape = np.bartlett(end - start + 2)[1:-1, None] ** 2
        total[start:end] += shape * values
        weight[start:end] += shape
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def best_path(scores: np.ndarray, switch_cost: float) -> np.ndarray:
    """The labels of the best path through scores (frames, labels) that pays `switch_cost` a change: (frames,).

    Viterbi, "Error bounds for convolutional codes and an asymptotically optimum decoding algorithm", IEEE
    Transactions on Information Theory 13(2), 1967.
    """
    path: np.ndarray = _best_path(scores, switch_cost)
    return path


@njit(cache=True)
def _best_path(scores: np.ndarray, switch_cost: float) -> np.ndarray:
    frame_total, label_total = scores.shape
    best = np.empty(frame_total, np.int64)  # the label from which a change into this frame comes
    changed = np.zeros((frame_total, label_total), np.bool_)
    value = scores[0].copy()
    for frame in range(1, frame_total):
        best[frame] = value.argmax()
        after_change = value[best[frame]] - switch_cost
        for label in range(label_total):
            if after_change > value[label]:
                changed[frame, label] = True
                value[label] = after_change
            value[label] += scores[frame, label]
    path = np.empty(frame_total, np.int64)
    path[-1] = value.argmax()
    for frame in range(frame_total - 1, 0, -1):
        path[frame - 1] = best[frame] if changed[frame, path[frame]] else path[frame]
    return path


def _margin(scores: np.ndarray, path: np.ndarray) -> np.ndarray:
    """How much more similar the chosen speaker is than the best other one: (frames,)."""
    if scores.shape[1] == 1:
        return np.full(len(scores), np.inf)
    chosen = np.take_along_axis(scores, path[:, None], axis=1)[:, 0]
    others = scores.copy()
    np.put_along_axis(others, path[:, None], -np.inf, axis=1)
    return chosen - others.max(axis=1)
