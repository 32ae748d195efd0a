"""Background noise: coloured noise and babble, at a given signal-to-noise ratio."""

from collections.abc import Sequence

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from src.media.audio import SAMPLE_RATE_HZ

NOISE_KINDS = ("babble", "pink", "white", "brown")
_POWER_SLOPES = {"white": 0.0, "pink": 1.0, "brown": 2.0}  # power falls as 1 / frequency ** slope
_FLAT_BELOW_HZ = 30.0
_BABBLE_LAYERS = 6


def coloured_noise(kind: str, length: int, stream: np.random.Generator) -> np.ndarray:
    """White, pink or brown noise of shape (length,) and RMS 1."""
    period = next_fast_len(length, real=True)
    white = stream.standard_normal(period, dtype=np.float32)
    if kind == "white":
        return white[:length]
    frequencies = np.maximum(rfftfreq(period, 1 / SAMPLE_RATE_HZ), _FLAT_BELOW_HZ)
    shape = (frequencies ** (-_POWER_SLOPES[kind] / 2)).astype(np.float32)
    return _to_unit_rms(irfft(rfft(white) * shape, period)[:length])


def babble(utterances: Sequence[np.ndarray], length: int, stream: np.random.Generator) -> np.ndarray:
    """Many voices at once, shape (length,) and RMS 1: the utterances in layers at random shifts."""
    talk = np.concatenate([_to_unit_rms(utterance) for utterance in utterances])
    talk = np.tile(talk, -(-length // len(talk)))
    layers = np.zeros(length, np.float32)
    for _ in range(_BABBLE_LAYERS):
        layers += np.roll(talk, int(stream.integers(len(talk))))[:length]
    return _to_unit_rms(layers)


def add_noise(
    speech: np.ndarray, noise: np.ndarray, signal_power: float, signal_to_noise_db: float
) -> np.ndarray:
    """Add noise of RMS 1 to speech whose power while speaking is `signal_power`."""
    level = np.sqrt(signal_power) * 10 ** (-signal_to_noise_db / 20)
    return np.asarray(speech + np.float32(level) * noise, dtype=np.float32)


def _to_unit_rms(samples: np.ndarray) -> np.ndarray:
    power = np.mean(np.square(samples, dtype=np.float64))
    return np.asarray(samples / np.sqrt(power + 1e-12), dtype=np.float32)
