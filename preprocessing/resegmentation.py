"""Overlap-aware resegmentation: each speaker that clustering has found is marked again by the keynote network.

Clustering gives every frame to one speaker at most and knows the borders of turns to half a second. Asked for each speaker
in turn, with the mean of that speaker's vectors as the prompt, the network finds the frames to ten milliseconds
and those in which two speak (target-speaker voice activity detection; Medennikov et al., Interspeech 2020); all answers
together decide (`joint_decoding`). Where clustering has taken one person for two, both prompts mark the same frames, so that
the mistake shows and is mended.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from preprocessing.joint_decoding import decide
from preprocessing.speaker_frames import Recordings, SpeakerFrames, number_by_talk
from preprocessing.speech_settings import ResegmentationSettings
from preprocessing.target_speaker import Chunk, TargetSpeakerMarker, join_speakers, mean_vector
from src.media.frames import frame_count

_ROUNDS = 2


def resegment(
    recordings: Recordings,
    clustered: Sequence[SpeakerFrames],
    marker: TargetSpeakerMarker,
    settings: ResegmentationSettings,
) -> list[SpeakerFrames]:
    """The speakers of one group once more.

    Clusters whose marks go together are one person and are joined. Then the answers to all prompts together decide who
    speaks in each frame; the second time the prompts are of what was decided the first time, which is purer than
    clusters of windows are. Speakers of whom there is no clean tenth of a second stay as they are.
    """
    chunks = marker.read(recordings)
    frame_counts = [frame_count(len(samples)) for samples in recordings]
    heard = [one.speech for one in clustered]
    group = number_by_talk(clustered)
    group = _join(group, _same_speakers(chunks, group, marker, settings))
    for _ in range(_ROUNDS):
        marked = _mark(chunks, group, marker, frame_counts)
        group = number_by_talk(
            [decide(frames, marks, settings) for frames, marks in zip(heard, marked, strict=True)]
        )
    return group


def _mark(
    chunks: Sequence[Chunk],
    group: Sequence[SpeakerFrames],
    marker: TargetSpeakerMarker,
    frame_counts: Sequence[int],
) -> list[np.ndarray]:
    """Probabilities that each speaker speaks, and that anybody else does: float16 (speakers, frames, 2) a recording.

    Of speakers without a prompt it is what clustering says, which knows nothing of the others.
    """
    marked = [
        np.stack([one.active.T, np.full(one.active.T.shape, 0.5, np.float16)], axis=2, dtype=np.float16)
        for one in group
    ]
    prompts = _prompts(chunks, group)
    if prompts:
        marks = marker.mark_speakers(chunks, torch.stack(list(prompts.values())))
        joined = join_speakers(chunks, marks, frame_counts, len(prompts))
        for one, found in zip(marked, joined, strict=True):
            one[list(prompts)] = found
    return marked


def _same_speakers(
    chunks: Sequence[Chunk],
    group: Sequence[SpeakerFrames],
    marker: TargetSpeakerMarker,
    settings: ResegmentationSettings,
) -> np.ndarray:
    """Which clusters are one person, by their marks: labels 0, 1, … (clusters,).

    Average linkage on the correlation of the probabilities that they speak: about 1 where both prompts mark one person,
    negative where they take turns. Clusters without a prompt correlate with none.
    """
    speakers, prompts = group[0].active.shape[1], _prompts(chunks, group)
    if len(prompts) < 2:
        return np.arange(speakers)
    correlations = np.eye(speakers)
    asked = torch.stack(list(prompts.values()))
    correlations[np.ix_(list(prompts), list(prompts))] = _correlations(marker.mark_speakers(chunks, asked))
    tree = linkage(squareform(1 - correlations, checks=False), method="average")
    return fcluster(tree, 1 - settings.same_speaker_correlation, criterion="distance").astype(np.int64) - 1


def _correlations(marks: Iterator[np.ndarray]) -> np.ndarray:
    """Of the probabilities that two speak, over the frames of all chunks: (speakers, speakers); 0 where one never changes."""
    total: np.ndarray = np.zeros(1)
    products: np.ndarray = np.zeros((1, 1))
    frames = 0
    for found in marks:
        own = found[..., 0].astype(np.float64)
        total, products, frames = total + own.sum(axis=1), products + own @ own.T, frames + own.shape[1]
    covariances = products / frames - np.outer(total, total) / frames**2
    spreads = np.sqrt(np.maximum(covariances.diagonal(), 0))
    return np.asarray(covariances / np.maximum(np.outer(spreads, spreads), 1e-9))


def _join(group: Sequence[SpeakerFrames], labels: np.ndarray) -> list[SpeakerFrames]:
    """The group with one column a label."""
    return number_by_talk(
        [
            SpeakerFrames(
                active=np.stack(
                    [one.active[:, labels == label].any(axis=1) for label in range(labels.max() + 1)], axis=1
                ),
                certain=one.certain,
            )
            for one in group
        ]
    )


def _prompts(chunks: Sequence[Chunk], group: Sequence[SpeakerFrames]) -> dict[int, torch.Tensor]:
    """The prompts of those speakers who have one."""
    found = {speaker: _prompt(chunks, group, speaker) for speaker in range(group[0].active.shape[1])}
    return {speaker: prompt for speaker, prompt in found.items() if prompt is not None}


def _prompt(chunks: Sequence[Chunk], clustered: Sequence[SpeakerFrames], speaker: int) -> torch.Tensor | None:
    """Unit vector of one speaker, from the frames that are certainly theirs; None where there are none."""
    total: np.ndarray = np.zeros(1, np.float32)
    for chunk in chunks:
        one = clustered[chunk.recording]
        alone = one.active[:, speaker] & one.certain & (one.active.sum(axis=1) == 1)
        vector, tokens = mean_vector(chunk, alone[chunk.first_frame : chunk.first_frame + chunk.frames])
        total = total + tokens * vector
    length = float(np.linalg.norm(total))
    return torch.from_numpy(total / length).float() if length > 0 else None
