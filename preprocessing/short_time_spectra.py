"""Short-time spectra of a recording, a block of frames at a time, and the way back.

Frames of 32 ms every 16 ms, weighted with the root of a Hann window before and after: the windows' squares sum to 1,
so that unchanged spectra give the recording back (Griffin and Lim, "Signal estimation from modified short-time Fourier
transform", IEEE ASSP 32(2), 1984, eq. 6). The first frame begins before the first sample, so that all samples
are covered alike.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import fft
from scipy.signal.windows import hann

FRAME_SAMPLES, HOP_SAMPLES = 512, 256
BIN_COUNT = FRAME_SAMPLES // 2 + 1
_EDGE_SAMPLES = FRAME_SAMPLES - HOP_SAMPLES
_WINDOW = np.sqrt(hann(FRAME_SAMPLES, sym=False)).astype(np.float32)
_BLOCK_FRAMES = 512  # 8 s of sound, 1 MB of spectra: they stay in the processor's cache


def frame_total(sample_count: int) -> int:
    """Number of frames of a recording."""
    return -(-(sample_count + _EDGE_SAMPLES) // HOP_SAMPLES)


def frame_blocks(sample_count: int) -> Iterator[tuple[int, int]]:
    """Half-open ranges of frames that together are all frames of a recording."""
    frames = frame_total(sample_count)
    for first in range(0, frames, _BLOCK_FRAMES):
        yield first, min(first + _BLOCK_FRAMES, frames)


def windowed_frames(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    """Weighted samples of the frames `first` to `last` - 1 of a recording (samples,): float32 (frames, 512)."""
    start = first * HOP_SAMPLES - _EDGE_SAMPLES
    padded = np.zeros((last - first - 1) * HOP_SAMPLES + FRAME_SAMPLES, np.float32)
    covered = samples[max(start, 0) : start + len(padded)]
    padded[max(-start, 0) : max(-start, 0) + len(covered)] = covered
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES] * _WINDOW


def spectra_of(frames: np.ndarray) -> np.ndarray:
    """Spectra of weighted frames: float32 (frames, 512) to complex64 (frames, 257)."""
    return fft.rfft(frames, axis=1)


def power_of(spectra: np.ndarray) -> np.ndarray:
    """Squared magnitudes, float32 (frames, 257)."""
    power = np.square(spectra.real)
    power += np.square(spectra.imag)
    return power


def filter_spectra(
    samples: np.ndarray, gain_of: Callable[[np.ndarray], np.ndarray], out: np.ndarray | None = None
) -> np.ndarray:
    """Multiply all spectra of a recording by gains; it keeps its length and its alignment.

    samples: float32 (samples,).
    gain_of: the power of consecutive frames (frames, 257) to their gains; called block after block, in order.
    out: where the result goes; may be `samples` itself.
    """
    out = np.empty_like(samples) if out is None else out
    carried = np.zeros(_EDGE_SAMPLES, np.float32)
    for first, last in frame_blocks(len(samples)):
        spectra = spectra_of(windowed_frames(samples, first, last))
        spectra *= gain_of(power_of(spectra))
        summed = _overlap_added(spectra)
        summed[:_EDGE_SAMPLES] += carried
        finished = (last - first) * HOP_SAMPLES
        carried = summed[finished:]
        start = first * HOP_SAMPLES - _EDGE_SAMPLES
        stop = min(start + finished, len(samples))
        out[max(start, 0) : stop] = summed[max(-start, 0) : stop - start]
    return out


def _overlap_added(spectra: np.ndarray) -> np.ndarray:
    """Spectra (frames, 257) to the float32 samples that their frames cover."""
    frames = fft.irfft(spectra, n=FRAME_SAMPLES, axis=1, overwrite_x=True)
    frames *= _WINDOW
    halves = frames.reshape(len(frames), 2, HOP_SAMPLES)
    summed = np.zeros((len(frames) + 1, HOP_SAMPLES), np.float32)
    summed[:-1] = halves[:, 0]
    summed[1:] += halves[:, 1]
    return summed.reshape(-1)
