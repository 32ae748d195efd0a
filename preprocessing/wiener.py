"""The Wiener filter: short-time spectra turned down where noise outweighs speech.

Gain per bin G = xi / (1 + xi) with the prior signal-to-noise ratio xi by the decision-directed rule
(Ephraim and Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude
estimator", IEEE ASSP 32(6), 1984, eq. 51): xi(t) = a · G(t-1)² · gamma(t-1) + (1 - a) · max(gamma(t) - 1, 0),
gamma = |Y|² / noise.
"""

import numpy as np
from scipy import fft
from scipy.signal.windows import hann

FRAME_SAMPLES, HOP_SAMPLES = 512, 128
_OVERLAP = FRAME_SAMPLES // HOP_SAMPLES
_EDGE_SAMPLES = (
    FRAME_SAMPLES - HOP_SAMPLES
)  # before the first and after the last sample, so that all are covered alike
_WINDOW = hann(FRAME_SAMPLES, sym=False).astype(np.float32)
_SQUARED_WINDOW_SUM = float(
    (_WINDOW**2).reshape(_OVERLAP, HOP_SAMPLES).sum(axis=0).mean()
)  # the same everywhere
_TINY_POWER = 1e-12


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Short-time Fourier transform with Hann windows: (samples,) to complex64 (frames, 257)."""
    frame_count = -(-(len(samples) + _EDGE_SAMPLES) // HOP_SAMPLES)
    padded = np.zeros((frame_count - 1) * HOP_SAMPLES + FRAME_SAMPLES, np.float32)
    padded[_EDGE_SAMPLES : _EDGE_SAMPLES + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES]
    return fft.rfft(frames * _WINDOW, axis=1)


def waveform(spectra: np.ndarray, sample_count: int) -> np.ndarray:
    """Inverse of `spectrum` by weighted overlap-add: complex (frames, 257) to float32 (sample_count,).

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform", IEEE ASSP 32(2), 1984, eq. 6.
    """
    frames = fft.irfft(spectra, n=FRAME_SAMPLES, axis=1).astype(np.float32, copy=False) * _WINDOW
    blocks = frames.reshape(len(frames), _OVERLAP, HOP_SAMPLES)
    summed = np.zeros((len(frames) + _OVERLAP - 1, HOP_SAMPLES), np.float32)
    for place in range(_OVERLAP):
        summed[place : place + len(frames)] += blocks[:, place]
    samples = summed.reshape(-1)[_EDGE_SAMPLES : _EDGE_SAMPLES + sample_count]
    return samples / np.float32(_SQUARED_WINDOW_SUM)


def quietest_noise_power(power: np.ndarray, percentile: float, bias: float) -> np.ndarray:
    """Noise power of each bin from the quietest frames: (frames, bins) to (bins,).

    percentile: share of the frames, by their total power, that count as quiet. Digital silence does not count.
    bias: factor on their mean power.
    """
    loudness = power.sum(axis=1)
    sounding = loudness > _TINY_POWER
    if not sounding.any():
        return np.full(power.shape[1], _TINY_POWER, power.dtype)
    quiet = sounding & (loudness <= np.percentile(loudness[sounding], percentile))
    return bias * power[quiet].mean(axis=0) + _TINY_POWER


def wiener_gain(
    power: np.ndarray, noise_power: np.ndarray, smoothing: float, gain_floor_db: float
) -> np.ndarray:
    """Gain of every bin: power (frames, bins) and noise power (bins,) to (frames, bins) in [floor, 1].

    smoothing: weight `a` of the past in the prior signal-to-noise ratio; 0 = maximum likelihood.
    """
    posterior = power / noise_power
    evident = np.maximum(posterior - 1, 0)
    floor = 10 ** (gain_floor_db / 20)
    gain = np.empty_like(posterior)
    past = evident[0]  # G² · gamma of the frame before the first
    for frame, ratio in enumerate(posterior):
        prior = smoothing * past + (1 - smoothing) * evident[frame]
        np.maximum(prior / (1 + prior), floor, out=gain[frame])
        past = gain[frame] ** 2 * ratio
    return gain


def wiener_filter(
    samples: np.ndarray, *, noise_percentile: float, noise_bias: float, smoothing: float, gain_floor_db: float
) -> np.ndarray:
    """Filter a whole recording (samples,) float32; it keeps its length and its alignment."""
    if not len(samples):
        return samples
    spectra = spectrum(samples)
    power = spectra.real**2 + spectra.imag**2
    noise_power = quietest_noise_power(power, noise_percentile, noise_bias)
    return waveform(spectra * wiener_gain(power, noise_power, smoothing, gain_floor_db), len(samples))
