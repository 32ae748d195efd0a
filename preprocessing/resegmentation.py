"""Overlap-aware resegmentation: each speaker that clustering has found is marked again by the keynote network.

Clustering gives every frame to one speaker at most and knows the borders of turns to half a second. Asked for each speaker
in turn, with the mean of that speaker's vectors as the prompt, the network finds the frames to ten milliseconds
and those in which two speak (target-speaker voice activity detection; Medennikov et al., Interspeech 2020). Where
clustering has taken one person for two, both prompts mark the same frames, so that the mistake shows and is mended.
"""

from collections.abc import Sequence

import numpy as np
import torch

from preprocessing.speaker_frames import Recordings, SpeakerFrames, number_by_talk
from preprocessing.speech_settings import ResegmentationSettings
from preprocessing.target_speaker import Chunk, TargetSpeakerMarker, mean_vector
from src.media.frames import frame_count

_FRAMES_AT_ONCE = 1 << 16


def resegment(
    recordings: Recordings,
    clustered: Sequence[SpeakerFrames],
    marker: TargetSpeakerMarker,
    settings: ResegmentationSettings,
) -> list[SpeakerFrames]:
    """The speakers of one group once more.

    Where voice activity or the network hears speech, the likeliest speaker has it; a further one has it too from
    `overlap_probability` on. Two clusters that mark the same frames are one person and are joined. Speakers of whom there
    is no clean tenth of a second stay as they are.
    """
    chunks = marker.read(recordings)
    frame_counts = [frame_count(len(samples)) for samples in recordings]
    group = number_by_talk(clustered)
    marked = [_mark(chunks, group, speaker, marker, frame_counts) for speaker in range(_speakers(group))]
    while pair := _one_person_twice(marked, settings):
        kept, gone = pair
        group = [_join(one, kept, gone) for one in group]
        del marked[gone]
        marked[kept] = _mark(chunks, group, kept, marker, frame_counts)
    edges = np.cumsum(frame_counts)[:-1]
    pieces = np.split(np.stack(marked, axis=1), edges)
    return number_by_talk([_decide(one, piece, settings) for one, piece in zip(group, pieces, strict=True)])


def _speakers(group: Sequence[SpeakerFrames]) -> int:
    return int(group[0].active.shape[1])


def _mark(
    chunks: Sequence[Chunk],
    group: Sequence[SpeakerFrames],
    speaker: int,
    marker: TargetSpeakerMarker,
    frame_counts: Sequence[int],
) -> np.ndarray:
    """Probability of one speaker in the frames of all recordings of the group, one after the other: float16 (frames,)."""
    prompt = _prompt(chunks, group, speaker)
    if prompt is None:
        return np.concatenate([one.active[:, speaker] for one in group]).astype(np.float16)
    marks = marker.mark(chunks, prompt.expand(len(chunks), -1))
    joined = marker.join(chunks, marks, frame_counts)
    return np.concatenate([both[:, 0].astype(np.float16) for both in joined])


def _one_person_twice(
    marked: Sequence[np.ndarray], settings: ResegmentationSettings
) -> tuple[int, int] | None:
    """The two speakers who share most of the frames of the rarer one, if they share enough to be one person."""
    active = np.stack(marked) >= settings.overlap_probability
    counts = active.sum(axis=1)
    shared = np.zeros((len(marked), len(marked)))
    for first in range(0, active.shape[1], _FRAMES_AT_ONCE):
        together = active[:, first : first + _FRAMES_AT_ONCE].astype(np.float32)
        shared += together @ together.T
    share = np.triu(shared / np.maximum(np.minimum(counts[:, None], counts), 1), 1)
    kept, gone = np.unravel_index(int(share.argmax()), share.shape)
    return (int(kept), int(gone)) if share[kept, gone] >= settings.same_speaker_share else None


def _join(one: SpeakerFrames, kept: int, gone: int) -> SpeakerFrames:
    active = one.active.copy()
    active[:, kept] |= active[:, gone]
    return SpeakerFrames(active=np.delete(active, gone, axis=1), certain=one.certain)


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


def _decide(
    clustered: SpeakerFrames, probabilities: np.ndarray, settings: ResegmentationSettings
) -> SpeakerFrames:
    highest = probabilities.max(axis=1)
    speech = clustered.speech | (highest >= settings.unheard_speech_probability)
    active = probabilities >= settings.overlap_probability
    best = probabilities.argmax(axis=1)
    active[np.arange(len(best)), best] = highest >= settings.speech_probability
    active &= speech[:, None]
    others = probabilities.copy()
    np.put_along_axis(others, best[:, None], 0, axis=1)
    margin = highest - others.max(axis=1)
    certain = (margin >= settings.certain_margin) | (active.sum(axis=1) != 1)
    return SpeakerFrames(active=active, certain=certain)
