"""The speech of the keynote speaker, who talks most: what is kept of a recording, and where it went."""

from dataclasses import dataclass

import numpy as np

from preprocessing.diarization import NOBODY, SpeakerFrames
from preprocessing.frames import FRAME_SAMPLES, drop_short, frames_of, mask_of, spans_of
from preprocessing.speech_settings import KeynoteSettings
from src.media.audio import SAMPLE_RATE_HZ

KEYNOTE = 0


@dataclass(frozen=True, kw_only=True)
class KeptSegment:
    """A stretch of the source from `start_seconds` to `end_seconds`, and where it begins in the clean file."""

    start_seconds: float
    end_seconds: float
    position_seconds: float


def choose_segments(speakers: SpeakerFrames, settings: KeynoteSettings) -> np.ndarray:
    """Frame ranges to keep of one recording (segments, 2); none where the keynote speaker says too little.

    Only certain frames count. Padding never reaches frames in which somebody else speaks, or may speak.
    """
    keynote = speakers.speakers == KEYNOTE
    kept = drop_short(keynote & speakers.certain, frames_of(settings.shortest_segment_seconds))
    if kept.sum() < frames_of(settings.shortest_kept_seconds):
        return np.zeros((0, 2), np.int64)
    padding = frames_of(settings.padding_seconds)
    padded = mask_of(np.clip(spans_of(kept) + np.array([-padding, padding]), 0, len(kept)), len(kept))
    allowed = kept | (padded & (speakers.speakers == NOBODY))
    return spans_of(drop_short(allowed, frames_of(settings.shortest_segment_seconds)))  # no padding alone


def join_segments(
    samples: np.ndarray, spans: np.ndarray, cross_fade_seconds: float
) -> tuple[np.ndarray, list[KeptSegment]]:
    """Cut the segments out of a recording and join them: samples (samples,) and frame ranges (segments, 2).

    Neighbours overlap by the cross-fade, one sinking as the other rises, with amplitudes that sum to 1.
    Each segment must be longer than two cross-fades. Returns the joined samples and the segment map.
    """
    fade = round(cross_fade_seconds * SAMPLE_RATE_HZ)
    rise = (np.arange(fade, dtype=np.float32) + 0.5) / max(fade, 1)
    limits = np.minimum(spans * FRAME_SAMPLES, len(samples))
    length = int((limits[:, 1] - limits[:, 0]).sum()) - fade * max(0, len(limits) - 1)
    joined = np.zeros(length, np.float32)
    segments, position = [], 0
    for index, (start, end) in enumerate(limits):
        piece = samples[start:end].copy()
        if index > 0:
            piece[:fade] *= rise
        if index < len(limits) - 1:
            piece[len(piece) - fade :] *= rise[::-1]
        joined[position : position + len(piece)] += piece
        segments.append(
            KeptSegment(
                start_seconds=start / SAMPLE_RATE_HZ,
                end_seconds=end / SAMPLE_RATE_HZ,
                position_seconds=position / SAMPLE_RATE_HZ,
            )
        )
        position += len(piece) - fade
    return joined, segments
