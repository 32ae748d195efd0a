"""The Wiener filter: short-time spectra turned down where noise outweighs speech.

Two kinds. `tracked` follows the noise through the recording, and smooths the prior signal-to-noise ratio xi by the
decision-directed rule (Ephraim and Malah, "Speech enhancement using a minimum mean-square error short-time spectral
amplitude estimator", IEEE ASSP 32(6), 1984, eq. 51): xi(t) = a · G(t-1)² · gamma(t-1) + (1 - a) · max(gamma(t) - 1, 0),
gamma = |Y|² / noise. `percentile` is the plain filter of published front ends: one noise spectrum, from the quietest
frames of the whole file, and xi = max(gamma - 1, 0). For both, the gain is G = max(xi / (1 + xi), floor).
"""

from collections.abc import Callable

import numpy as np
from numba import njit

from preprocessing.noise_tracking import NoiseTracker, quietest_noise_power
from preprocessing.short_time_spectra import filter_spectra
from preprocessing.speech_settings import CleaningSettings

GainRule = Callable[[np.ndarray], np.ndarray]
"""Power of the next frames (frames, bins) to their gains in [floor, 1]."""


def wiener_filter(
    samples: np.ndarray, settings: CleaningSettings, out: np.ndarray | None = None
) -> np.ndarray:
    """Filter a whole recording (samples,) float32; it keeps its length and its alignment.

    out: where the result goes; may be `samples` itself. Beside it, memory does not grow with the recording.
    """
    noise_power = quietest_noise_power(samples, settings.noise_percentile, settings.noise_bias)
    floor = 10 ** (settings.gain_floor_db / 20)
    if settings.wiener == "percentile":
        return filter_spectra(samples, plain_gain(noise_power, floor), out)
    tracker = NoiseTracker(noise_power, settings.noise_memory)
    return filter_spectra(samples, decision_directed_gain(tracker.track, settings.smoothing, floor), out)


def plain_gain(noise_power: np.ndarray, floor: float) -> GainRule:
    """The filter of one noise spectrum (bins,), each frame by itself: xi / (1 + xi) = 1 - noise / power."""

    def gain_of(power: np.ndarray) -> np.ndarray:
        gain = np.maximum(power, noise_power)
        np.divide(noise_power, gain, out=gain)
        np.subtract(1, gain, out=gain)
        return np.maximum(gain, np.float32(floor), out=gain)

    return gain_of


def decision_directed_gain(
    noise_of: Callable[[np.ndarray], np.ndarray], smoothing: float, floor: float
) -> GainRule:
    """The filter whose prior signal-to-noise ratio remembers the frame before.

    noise_of: power of the next frames (frames, bins) to the noise power in them.
    smoothing: weight `a` of the past; 0 = none.
    """
    past: np.ndarray | None = None

    def gain_of(power: np.ndarray) -> np.ndarray:
        nonlocal past
        noise = noise_of(power)
        if past is None:  # the frame before the first is like the first
            past = np.maximum(power[0] / noise[0] - 1, 0)
        _direct_decisions(power, noise, past, np.float32(smoothing), np.float32(floor))
        return noise

    return gain_of


@njit(cache=True, error_model="numpy")
def _direct_decisions(
    power: np.ndarray, noise: np.ndarray, past: np.ndarray, smoothing: np.float32, floor: np.float32
) -> None:
    """Write the gains over `noise` (frames, bins); `past` (bins,) is G² · gamma of the frame before, kept in place."""
    one, nothing = np.float32(1), np.float32(0)
    for frame in range(power.shape[0]):
        for place in range(power.shape[1]):
            posterior = power[frame, place] / noise[frame, place]
            prior = smoothing * past[place] + (one - smoothing) * max(posterior - one, nothing)
            gain = max(prior / (one + prior), floor)
            past[place] = gain * gain * posterior
            noise[frame, place] = gain
