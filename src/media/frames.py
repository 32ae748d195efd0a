"""The 10 ms grid that speech, speakers and kept segments are told on, and spans of it.

A mask is a bool array (frames,). Spans are an int array (spans, 2) of half-open frame ranges in order.
"""

import numpy as np

from src.media.audio import SAMPLE_RATE_HZ

FRAME_SAMPLES = 160
FRAMES_PER_SECOND = SAMPLE_RATE_HZ // FRAME_SAMPLES


def frame_count(sample_count: int) -> int:
    """Number of frames that cover a recording."""
    return -(-sample_count // FRAME_SAMPLES)


def frames_of(seconds: float) -> int:
    """A duration in whole frames, rounded."""
    return round(seconds * FRAMES_PER_SECOND)


def spans_of(mask: np.ndarray) -> np.ndarray:
    """The stretches where a mask holds: (frames,) to (spans, 2).

    >>> spans_of(np.array([0, 1, 1, 0, 1], bool)).tolist()
    [[1, 3], [4, 5]]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return edges.reshape(-1, 2)


def mask_of(spans: np.ndarray, frames: int) -> np.ndarray:
    """The mask that holds in the spans: inverse of `spans_of`."""
    mask = np.zeros(frames, bool)
    for start, end in spans:
        mask[start:end] = True
    return mask


def fill_gaps(mask: np.ndarray, longest: int) -> np.ndarray:
    """Close the gaps of at most `longest` frames between two stretches."""
    filled = mask.copy()
    for start, end in spans_of(~mask):
        if start > 0 and end < len(mask) and end - start <= longest:
            filled[start:end] = True
    return filled


def drop_short(mask: np.ndarray, shortest: int) -> np.ndarray:
    """Remove the stretches of less than `shortest` frames."""
    spans = spans_of(mask)
    return mask_of(spans[spans[:, 1] - spans[:, 0] >= shortest], len(mask))
