"""Band, level and trimming: what every clean file has in common."""

import math
from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.signal import butter, freqz_zpk

from preprocessing.speech_settings import CleaningSettings
from preprocessing.wiener import wiener_filter
from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, mask_of

_FILTER_ORDER = 4
_FILTER_TAIL = 1e-7  # what is left of the filter's response where it is cut off
_SHORTEST_TRANSFORM_SAMPLES = 1 << 15
_SILENT_LEVEL = 1e-6
_BLOCK_SAMPLES = 1 << 16
_LOUD_PERCENTILE = 90


def clean_recording(
    samples: np.ndarray, settings: CleaningSettings, out: np.ndarray | None = None
) -> np.ndarray:
    """Band-pass and Wiener filter, each where asked for, of a whole recording; length and alignment stay.

    samples: (samples,) in single or half precision.
    out: where the result goes; may be `samples` itself, which saves the memory of a copy.
    """
    out = np.empty_like(samples) if out is None else out
    if settings.band_pass:
        band_pass(samples, settings.lowest_hz, settings.highest_hz, out)
    elif out is not samples:
        out[:] = samples
    return wiener_filter(out, settings, out) if settings.clean == "wiener" else out


def band_pass(
    samples: np.ndarray, lowest_hz: float, highest_hz: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Butterworth band-pass run both ways, so that nothing moves in time: (samples,) float32.

    Done in the frequency domain, where both ways together are one multiplication by |H|², a block at a time with
    enough samples on each side (overlap-save). At its ends the recording is continued by its point reflection.

    out: where the result goes; may be `samples` itself.
    """
    out = np.empty_like(samples) if out is None else out
    if not len(samples):
        return out
    response, context = _squared_response(lowest_hz, highest_hz)
    transform_samples = 2 * (len(response) - 1)
    step = transform_samples - 2 * context
    before = _continuation(samples[context::-1], context)[::-1]
    after = _continuation(samples[-context - 1 :], context)
    for start in range(0, len(samples), step):
        stop = min(start + step, len(samples))
        known = np.concatenate([before, samples[start : stop + context], after])
        piece = known[: stop - start + 2 * context]
        before = piece[stop - start :][:context].copy()  # it may lie in what is now overwritten
        passed = fft.irfft(fft.rfft(piece, n=transform_samples) * response, n=transform_samples)
        out[start:stop] = passed[context : context + stop - start]
    return out


def set_level(
    samples: np.ndarray, level_db: float | None, peak_db: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Scale to a root-mean-square of `level_db` of full scale, less where a sample would pass `peak_db`.

    Silence stays as it is. Where `level_db` is None, only what passes `peak_db` is scaled.
    out: where the result goes; may be `samples` itself.
    """
    gain = level_gain(samples, level_db, peak_db)
    return np.multiply(samples, np.float32(gain), out=np.empty_like(samples) if out is None else out)


def level_gain(samples: np.ndarray, level_db: float | None, peak_db: float) -> float:
    """What `set_level` multiplies with."""
    level = _root_mean_square(samples)
    if level < _SILENT_LEVEL:
        return 1.0
    highest = max(float(samples.max()), -float(samples.min()))
    wanted = 1.0 if level_db is None else 10 ** (level_db / 20) / level
    return min(wanted, 10 ** (peak_db / 20) / highest)


def trim_silence(samples: np.ndarray, spans: np.ndarray, silence_db: float) -> np.ndarray:
    """Take silence off the beginning and the end of what is kept; pauses in between stay.

    samples: (samples,) at 16 kHz.
    spans: (spans, 2) kept ranges of 10 ms frames, in order.
    silence_db: frames this far below the loud ones of the spans (90th percentile) are silence.
    """
    energies = _frame_energies(samples)
    kept = mask_of(spans, len(energies))
    if not kept.any():
        return spans
    loud = float(np.percentile(energies[kept], _LOUD_PERCENTILE))
    sounding = np.flatnonzero(kept & (energies >= loud * 10 ** (-silence_db / 10)))
    trimmed = np.clip(spans, sounding[0], sounding[-1] + 1)
    return trimmed[trimmed[:, 1] > trimmed[:, 0]]


@lru_cache(maxsize=4)
def _squared_response(lowest_hz: float, highest_hz: float) -> tuple[np.ndarray, int]:
    """|H|² of the band-pass at the frequencies of a transform, and after how many samples its response is over."""
    zeros, poles, gain = butter(
        _FILTER_ORDER, [lowest_hz, highest_hz], btype="bandpass", fs=SAMPLE_RATE_HZ, output="zpk"
    )
    context = math.ceil(math.log(_FILTER_TAIL) / math.log(float(np.abs(poles).max())))
    transform_samples = max(_SHORTEST_TRANSFORM_SAMPLES, 1 << (8 * context).bit_length())
    frequencies = fft.rfftfreq(transform_samples, 1 / SAMPLE_RATE_HZ)
    _, response = freqz_zpk(zeros, poles, [gain], frequencies, fs=SAMPLE_RATE_HZ)
    return np.square(np.abs(response)).astype(np.float32), context


def _continuation(samples: np.ndarray, count: int) -> np.ndarray:
    """What would follow `samples`: their point reflection, and where they are too few its last value."""
    reflected = 2 * samples[-1] - samples[::-1][: count + 1]
    return np.pad(reflected, (0, count + 1 - len(reflected)), mode="edge")[1:]


def _root_mean_square(samples: np.ndarray) -> float:
    blocks = (samples[first : first + _BLOCK_SAMPLES] for first in range(0, len(samples), _BLOCK_SAMPLES))
    energy = sum(float(np.square(block, dtype=np.float64).sum()) for block in blocks)
    return math.sqrt(energy / max(len(samples), 1))


def _frame_energies(samples: np.ndarray) -> np.ndarray:
    """Sum of squares of each 10 ms frame, the last one perhaps shorter: (samples,) to (frames,)."""
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = samples[:whole].reshape(-1, FRAME_SAMPLES)
    rest = samples[whole:]
    energies = np.einsum("ij,ij->i", frames, frames, dtype=np.float32, casting="same_kind")
    return np.append(energies, [np.square(rest, dtype=np.float32).sum()] if len(rest) else [])
