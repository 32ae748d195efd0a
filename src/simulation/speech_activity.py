"""Where somebody speaks in a dry, clean signal: the truth that the turns are written from."""

import numpy as np

from src.media.audio import SAMPLE_RATE_HZ

_HOP_SAMPLES = 160
_WINDOW_SAMPLES = 400
_THRESHOLD_DB = -35.0  # below the loudest frame
_LONGEST_GAP_FRAMES = 20  # a shorter silence (0.2 s) belongs to the turn
_SHORTEST_TURN_FRAMES = 8


def find_speech(samples: np.ndarray) -> list[tuple[float, float]]:
    """Spans (start, end) in seconds of speech in a dry signal of shape (samples,) at 16 kHz."""
    if len(samples) < _WINDOW_SAMPLES:
        return []
    energy_sum = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - _WINDOW_SAMPLES + 1, _HOP_SAMPLES)
    energy = (energy_sum[starts + _WINDOW_SAMPLES] - energy_sum[starts]) / _WINDOW_SAMPLES + 1e-12
    active = energy > energy.max() * 10 ** (_THRESHOLD_DB / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    spans: list[list[int]] = []
    for first, after in edges.reshape(-1, 2).tolist():
        if spans and first - spans[-1][1] <= _LONGEST_GAP_FRAMES:
            spans[-1][1] = after
        else:
            spans.append([first, after])
    tail = _WINDOW_SAMPLES - _HOP_SAMPLES
    return [
        (first * _HOP_SAMPLES / SAMPLE_RATE_HZ, (after * _HOP_SAMPLES + tail) / SAMPLE_RATE_HZ)
        for first, after in spans
        if after - first >= _SHORTEST_TURN_FRAMES
    ]


def trim_silence(samples: np.ndarray) -> np.ndarray:
    """Cut what comes before the first and after the last speech."""
    spans = find_speech(samples)
    if not spans:
        return samples
    return samples[int(spans[0][0] * SAMPLE_RATE_HZ) : int(spans[-1][1] * SAMPLE_RATE_HZ)]
