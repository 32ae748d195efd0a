"""Band, level and trimming: what every clean file has in common."""

from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfiltfilt

from preprocessing.speech_settings import CleaningSettings
from preprocessing.wiener import wiener_filter
from src.media.audio import SAMPLE_RATE_HZ

_FILTER_ORDER = 4
_SILENT_LEVEL = 1e-6


@lru_cache(maxsize=4)
def _band_sections(lowest_hz: float, highest_hz: float) -> np.ndarray:
    return butter(_FILTER_ORDER, [lowest_hz, highest_hz], btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos")


def band_pass(samples: np.ndarray, lowest_hz: float, highest_hz: float) -> np.ndarray:
    """Butterworth band-pass run both ways, so that nothing moves in time: (samples,) float32."""
    sections = _band_sections(lowest_hz, highest_hz)
    padding = min(len(samples) - 1, SAMPLE_RATE_HZ // 10)
    return sosfiltfilt(sections, samples, padlen=padding).astype(np.float32) if padding > 0 else samples


def set_level(samples: np.ndarray, level_db: float, peak_db: float) -> np.ndarray:
    """Scale to a root-mean-square of `level_db` of full scale, less where a sample would pass `peak_db`.

    Silence stays as it is.
    """
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    if level < _SILENT_LEVEL:
        return samples
    gain = min(10 ** (level_db / 20) / level, 10 ** (peak_db / 20) / float(np.abs(samples).max()))
    return (samples * np.float32(gain)).astype(np.float32)


def clean_recording(samples: np.ndarray, settings: CleaningSettings) -> np.ndarray:
    """Band-pass and, where asked for, Wiener filter of a whole recording; length and alignment stay."""
    banded = band_pass(samples, settings.lowest_hz, settings.highest_hz)
    if settings.clean == "none":
        return banded
    return wiener_filter(
        banded,
        noise_percentile=settings.noise_percentile,
        noise_bias=settings.noise_bias,
        smoothing=settings.smoothing,
        gain_floor_db=settings.gain_floor_db,
    )
