"""Overlap-aware resegmentation: each speaker that clustering has found is marked again by the keynote network.

Clustering gives every frame to one speaker at most and knows the borders of turns to half a second. Asked for each speaker
in turn, with the mean of that speaker's vectors as the prompt, the network finds the frames to ten milliseconds
and those in which two speak (target-speaker voice activity detection; Medennikov et al., Interspeech 2020); all answers
together decide (`joint_decoding`). Where clustering has taken one person for two, both prompts mark the same frames, so that
the mistake shows and is mended.
"""

from collections.abc import Sequence

import numpy as np
import torch

from preprocessing.joint_decoding import decide
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

    Two clusters whose marks are nearly the same are one person and are joined. The answers to all prompts together then
    decide who speaks in each frame. Speakers of whom there is no clean tenth of a second stay as they are.
    """
    chunks = marker.read(recordings)
    frame_counts = [frame_count(len(samples)) for samples in recordings]
    group = number_by_talk(clustered)
    marked = _mark(chunks, group, range(group[0].active.shape[1]), marker, frame_counts)
    shared = np.stack([_shared_shares(marked, speaker) for speaker in range(len(marked))])
    while shared.max() >= settings.same_speaker_share:
        kept, gone = sorted(int(speaker) for speaker in np.unravel_index(shared.argmax(), shared.shape))
        group = [_join(one, kept, gone) for one in group]
        del marked[gone]
        shared = np.delete(np.delete(shared, gone, axis=0), gone, axis=1)
        (marked[kept],) = _mark(chunks, group, [kept], marker, frame_counts)
        shared[kept] = shared[:, kept] = _shared_shares(marked, kept)
    ends = np.cumsum(frame_counts)
    return number_by_talk(
        [
            decide(one, [marks[end - frames : end] for marks in marked], settings)
            for one, frames, end in zip(group, frame_counts, ends, strict=True)
        ]
    )


def _mark(
    chunks: Sequence[Chunk],
    group: Sequence[SpeakerFrames],
    speakers: Sequence[int],
    marker: TargetSpeakerMarker,
    frame_counts: Sequence[int],
) -> list[np.ndarray]:
    """Probabilities that each of these speakers speaks, and that anybody else does, in the frames of all recordings of the
    group, one after the other: float16 (frames, 2) a speaker."""
    prompts = [_prompt(chunks, group, speaker) for speaker in speakers]
    known = [prompt for prompt in prompts if prompt is not None]
    answers = iter(marker.mark_speakers(chunks, torch.stack(known), frame_counts) if known else ())
    return [
        _as_clustered(group, speaker) if prompt is None else next(answers)
        for speaker, prompt in zip(speakers, prompts, strict=True)
    ]


def _as_clustered(group: Sequence[SpeakerFrames], speaker: int) -> np.ndarray:
    """What clustering says of a speaker, in place of marks; it knows nothing of the others."""
    active = np.concatenate([one.active[:, speaker] for one in group])
    return np.stack([active, np.full(len(active), 0.5)], axis=1).astype(np.float16)


def _shared_shares(marked: Sequence[np.ndarray], speaker: int) -> np.ndarray:
    """How much of the rarer one's talk one speaker shares with each other: (speakers,), 0 with themselves.

    Talk is the sum of probabilities, what is shared that of the smaller of two: unlike frames above a threshold it also
    tells when the network takes both for the same person without being sure of either.
    """
    talk, shared = np.zeros((2, len(marked)))
    for first in range(0, len(marked[0]), _FRAMES_AT_ONCE):
        stretch = np.stack([one[first : first + _FRAMES_AT_ONCE, 0] for one in marked]).astype(np.float32)
        talk += stretch.sum(axis=1)
        shared += np.minimum(stretch, stretch[speaker]).sum(axis=1)
    shares = np.asarray(shared / np.maximum(np.minimum(talk, talk[speaker]), 1e-6))
    shares[speaker] = 0
    return shares


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
