"""What a video's microphone, codec and volume control do to its sound."""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from src.media.audio import SAMPLE_RATE_HZ

_TELEPHONE_SHARE, _CLIPPED_SHARE, _QUIET_SHARE = 0.08, 0.08, 0.08


@dataclass(frozen=True, kw_only=True)
class RecordingChannel:
    """A band with soft edges and a spectral tilt.

    lowest_hz, highest_hz: the −3 dB edges.
    tilt_db_per_octave: around 1 kHz.
    """

    lowest_hz: float
    highest_hz: float
    tilt_db_per_octave: float


def draw_channel(stream: np.random.Generator) -> RecordingChannel:
    """Mostly wide-band microphones, now and then a telephone."""
    telephone = stream.random() < _TELEPHONE_SHARE
    return RecordingChannel(
        lowest_hz=float(stream.uniform(200, 320) if telephone else stream.uniform(20, 110)),
        highest_hz=float(stream.uniform(3400, 3900) if telephone else stream.uniform(5500, 7900)),
        tilt_db_per_octave=float(stream.normal(0, 0.8)),
    )


def apply_channel(samples: np.ndarray, channel: RecordingChannel) -> np.ndarray:
    """Filter with zero phase, so that no time shifts; shape (samples,) stays."""
    period = next_fast_len(len(samples) + SAMPLE_RATE_HZ // 20, real=True)
    frequencies = np.maximum(rfftfreq(period, 1 / SAMPLE_RATE_HZ), 1.0)
    gain = 1 / np.sqrt(1 + (channel.lowest_hz / frequencies) ** 4)
    gain /= np.sqrt(1 + (frequencies / channel.highest_hz) ** 12)
    octaves = np.clip(np.log2(frequencies / 1000), -4, 3)
    gain *= 10 ** (channel.tilt_db_per_octave * octaves / 20)
    filtered = irfft(rfft(samples, period) * gain.astype(np.float32), period)
    return np.asarray(filtered[: len(samples)], dtype=np.float32)


def set_volume(samples: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Scale to a usual peak; a few recordings come out far too loud (clipped) or far too quiet."""
    draw = stream.random()
    if draw < _CLIPPED_SHARE:
        peak = stream.uniform(1.5, 3.0)
    elif draw < _CLIPPED_SHARE + _QUIET_SHARE:
        peak = stream.uniform(0.01, 0.04)
    else:
        peak = stream.uniform(0.3, 0.95)
    loudest = float(np.abs(samples).max()) + 1e-9
    return np.asarray(np.clip(samples * (peak / loudest), -0.999, 0.999), dtype=np.float32)
