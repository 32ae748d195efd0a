"""The spectrum of the noise behind speech: from the quietest frames, and followed through the recording."""

import numpy as np
from numba import njit

from preprocessing.short_time_spectra import (
    BIN_COUNT,
    FRAME_SAMPLES,
    frame_blocks,
    frame_total,
    power_of,
    spectra_of,
    windowed_frames,
)

SMALLEST_NOISE_POWER = 1e-12
# Frames below -110 dB of full scale are digital silence and tell nothing about the noise.
SILENT_FRAME_ENERGY = 1e-11 * FRAME_SAMPLES / 2

# Gerkmann and Hendriks' constants for frames of 32 ms every 16 ms, section IV
_SPEECH_RATIO = 10**1.5  # prior signal-to-noise ratio of speech where it is present
_PRESENCE_MEMORY = 0.9
_LARGEST_LASTING_PRESENCE = 0.99


def quietest_noise_power(samples: np.ndarray, percentile: float, bias: float) -> np.ndarray:
    """Noise power of each bin from the quietest frames: float32 (samples,) to (257,).

    percentile: share of the frames, by their energy, that count as quiet. Digital silence does not count.
    bias: factor on their mean power.
    """
    energies = frame_energies(samples)
    sounding = energies > SILENT_FRAME_ENERGY
    if not sounding.any():
        return np.full(BIN_COUNT, SMALLEST_NOISE_POWER, np.float32)
    quiet = sounding & (energies <= np.percentile(energies[sounding], percentile))
    total = np.zeros(BIN_COUNT)
    for first, last in frame_blocks(len(samples)):
        if quiet[first:last].any():
            frames = windowed_frames(samples, first, last)[quiet[first:last]]
            total += power_of(spectra_of(frames)).sum(axis=0)
    return (bias * total / quiet.sum() + SMALLEST_NOISE_POWER).astype(np.float32)


def frame_energies(samples: np.ndarray) -> np.ndarray:
    """Sum of the squared weighted samples of each frame: float32 (samples,) to (frames,)."""
    energies = np.empty(frame_total(len(samples)), np.float32)
    for first, last in frame_blocks(len(samples)):
        frames = windowed_frames(samples, first, last)
        energies[first:last] = np.einsum("ij,ij->i", frames, frames)
    return energies


class NoiseTracker:
    """Follows the noise power of each bin by the probability that speech is present in it.

    Gerkmann and Hendriks, "Unbiased MMSE-based noise power estimation with low complexity and low tracking delay",
    IEEE TASLP 20(4), 2012, eq. 18 and 22 to 24. Frames of digital silence change nothing.

    noise_power: (257,) float32, where it starts.
    memory: weight of the past in the noise power, a frame.
    """

    def __init__(self, noise_power: np.ndarray, memory: float) -> None:
        self._noise = noise_power.astype(np.float32)
        self._presence = np.full(len(noise_power), 0.5, np.float32)
        self._memory = np.float32(memory)

    def track(self, power: np.ndarray) -> np.ndarray:
        """Noise power of the next frames: float32 (frames, 257) to (frames, 257)."""
        tracked = np.empty_like(power)
        _follow_noise(power, self._noise, self._presence, self._memory, tracked)
        return tracked


@njit(cache=True, error_model="numpy")
def _follow_noise(
    power: np.ndarray, noise: np.ndarray, mean_presence: np.ndarray, memory: np.float32, tracked: np.ndarray
) -> None:
    """Write `tracked` (frames, bins); `noise` and `mean_presence` (bins,) are the state, kept in place."""
    one = np.float32(1)
    ratio = np.float32(_SPEECH_RATIO)
    slope = ratio / (one + ratio)
    presence_memory = np.float32(_PRESENCE_MEMORY)
    largest = np.float32(_LARGEST_LASTING_PRESENCE)
    smallest_power = np.float32(SMALLEST_NOISE_POWER)
    silent_power = np.float32(SILENT_FRAME_ENERGY * FRAME_SAMPLES / 2)
    for frame in range(power.shape[0]):
        if power[frame].sum() <= silent_power:
            tracked[frame] = noise
            continue
        for place in range(power.shape[1]):
            observed = power[frame, place]
            former = noise[place]
            presence = one / (one + (one + ratio) * np.exp(-slope * observed / former))
            mean = presence_memory * mean_presence[place] + (one - presence_memory) * presence
            mean_presence[place] = mean
            if mean > largest:  # else noise that rose for good would be taken for speech for ever
                presence = min(presence, largest)
            current = former + (one - memory) * (one - presence) * (observed - former)
            noise[place] = tracked[frame, place] = max(current, smallest_power)
