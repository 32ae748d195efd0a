"""Who speaks when, jointly in all recordings of one group of people.

Windows of speech get speaker vectors; the vectors of all recordings are clustered together, so that a
speaker has one number in all of them; each frame then takes the speaker that the windows around it are
most similar to, changes being discouraged by a Viterbi pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.clustering import centroids, cluster_vectors, similarities
from preprocessing.frames import FRAMES_PER_SECOND, spans_of
from preprocessing.speech_settings import DiarizationSettings
from src.artifacts.turns import SpeakerTurn

NOBODY = -1


@dataclass(frozen=True, kw_only=True)
class SpeakerFrames:
    """Who speaks in the frames of one recording.

    speakers: (frames,) int, NOBODY where nobody speaks; 0 is who talks most over the whole group.
    certain: (frames,) bool, False where two speakers are about as likely, as in overlapped speech.
    """

    speakers: np.ndarray
    certain: np.ndarray

    def turns(self) -> list[SpeakerTurn]:
        """The turns of all speakers, in seconds of the recording."""
        return [
            SpeakerTurn(start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND, f"speaker{speaker:02d}")
            for speaker in np.unique(self.speakers[self.speakers != NOBODY])
            for start, end in spans_of(self.speakers == speaker)
        ]


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
        return [_nobody(mask) for mask in speech]
    labels = cluster_vectors(together, settings)
    centres = centroids(together, labels)
    found = [
        _assign_frames(mask, ranges, similarities(own, centres), settings)
        for mask, ranges, own in zip(speech, windows, vectors, strict=True)
    ]
    return _number_by_talk(found, len(centres))


def _nobody(speech: np.ndarray) -> SpeakerFrames:
    return SpeakerFrames(speakers=np.full(len(speech), NOBODY), certain=np.zeros(len(speech), bool))


def _assign_frames(
    speech: np.ndarray, windows: np.ndarray, window_similarities: np.ndarray, settings: DiarizationSettings
) -> SpeakerFrames:
    frames = frame_similarities(windows, window_similarities, len(speech))
    speakers = np.full(len(speech), NOBODY)
    certain = np.zeros(len(speech), bool)
    for start, end in spans_of(speech & np.isfinite(frames[:, 0])):
        path = best_path(frames[start:end], settings.switch_cost * FRAMES_PER_SECOND)
        speakers[start:end] = path
        certain[start:end] = _margin(frames[start:end], path) >= settings.ambiguity_margin
    return SpeakerFrames(speakers=speakers, certain=certain)


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
    frame_total, label_total = scores.shape
    came_from = np.empty((frame_total, label_total), np.int32)
    own = np.arange(label_total)
    value = scores[0].copy()
    for frame in range(1, frame_total):
        best = int(value.argmax())
        switches = value[best] - switch_cost > value
        came_from[frame] = np.where(switches, best, own)
        value = np.where(switches, value[best] - switch_cost, value) + scores[frame]
    path = np.empty(frame_total, np.int64)
    path[-1] = value.argmax()
    for frame in range(frame_total - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def _margin(scores: np.ndarray, path: np.ndarray) -> np.ndarray:
    """How much more similar the chosen speaker is than the best other one: (frames,)."""
    if scores.shape[1] == 1:
        return np.full(len(scores), np.inf)
    chosen = np.take_along_axis(scores, path[:, None], axis=1)[:, 0]
    others = scores.copy()
    np.put_along_axis(others, path[:, None], -np.inf, axis=1)
    return chosen - others.max(axis=1)


def _number_by_talk(found: Sequence[SpeakerFrames], count: int) -> list[SpeakerFrames]:
    """The same with speakers numbered from 0 by their speaking time over all recordings."""
    talk = sum(np.bincount(one.speakers[one.speakers != NOBODY], minlength=count) for one in found)
    rank = np.argsort(np.argsort(-np.asarray(talk), kind="stable"), kind="stable")
    return [
        SpeakerFrames(
            speakers=np.where(one.speakers == NOBODY, NOBODY, rank[one.speakers]), certain=one.certain
        )
        for one in found
    ]
