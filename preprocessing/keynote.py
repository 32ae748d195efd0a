"""The speech of the keynote speaker, who talks most: what is kept of a recording, and where it went."""

from dataclasses import dataclass

import numpy as np

from preprocessing.speaker_frames import KEYNOTE, SpeakerFrames
from preprocessing.speech_settings import KeynoteSettings
from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, drop_short, frames_of, mask_of, spans_of

_BLOCK_SAMPLES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class KeptSegment:
    """A stretch of the source from `start_seconds` to `end_seconds`, and where it begins in the clean file."""

    start_seconds: float
    end_seconds: float
    position_seconds: float


def choose_segments(speakers: SpeakerFrames, settings: KeynoteSettings) -> np.ndarray:
    """Frame ranges to keep of one recording (segments, 2); none where the keynote speaker says too little.

    Only certain frames count, and those in which others speak too only where `keep_overlap` says so. Padding
    never reaches frames in which anybody speaks.
    """
    keynote = speakers.active[:, KEYNOTE] & speakers.certain
    if not settings.keep_overlap:
        keynote &= speakers.active.sum(axis=1) == 1
    kept = drop_short(keynote, frames_of(settings.shortest_segment_seconds))
    if kept.sum() < frames_of(settings.shortest_kept_seconds):
        return np.zeros((0, 2), np.int64)
    padding = frames_of(settings.padding_seconds)
    padded = mask_of(np.clip(spans_of(kept) + np.array([-padding, padding]), 0, len(kept)), len(kept))
    allowed = kept | (padded & ~speakers.speech)
    return spans_of(drop_short(allowed, frames_of(settings.shortest_segment_seconds)))  # no padding alone


def join_segments(
    samples: np.ndarray, spans: np.ndarray, cross_fade_seconds: float
) -> tuple[np.ndarray, list[KeptSegment]]:
    """Cut the segments out of a recording and join them: samples (samples,) and frame ranges (segments, 2).

    Neighbours overlap by the cross-fade, one sinking as the other rises, with amplitudes that sum to 1.
    Each segment must be longer than two cross-fades. Returns the joined samples, which take the place of the
    beginning of `samples` to save the memory of a copy, and the segment map.
    """
    fade = round(cross_fade_seconds * SAMPLE_RATE_HZ)
    rise = (np.arange(fade, dtype=np.float32) + 0.5) / max(fade, 1)
    segments, position = [], 0
    for index, (start, end) in enumerate(np.minimum(spans * FRAME_SAMPLES, len(samples)).tolist()):
        faded = fade if index > 0 else 0
        beginning = samples[start : start + faded] * rise[:faded]
        samples[position : position + faded] *= rise[:faded][::-1]
        samples[position : position + faded] += beginning
        _move(samples, start + faded, end, position + faded)
        segments.append(
            KeptSegment(
                start_seconds=start / SAMPLE_RATE_HZ,
                end_seconds=end / SAMPLE_RATE_HZ,
                position_seconds=position / SAMPLE_RATE_HZ,
            )
        )
        position += end - start - fade
    return samples[: position + fade if segments else 0], segments


def _move(samples: np.ndarray, start: int, end: int, to: int) -> None:
    """Move samples[start:end] towards the beginning, a block at a time."""
    for first in range(start, end, _BLOCK_SAMPLES):
        block = samples[first : min(first + _BLOCK_SAMPLES, end)]
        samples[to + first - start : to + first - start + len(block)] = block
