"""The phrases of one person's recording, so that a truth can be made of it whatever its background."""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt

from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, drop_short, fill_gaps, frames_of, spans_of

_SPEECH_BAND = butter(2, [200, 4000], btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos")
_SMOOTHING_SECONDS = 0.03
_SMALLEST_ENERGY = 1e-10
_FLOOR_PERCENTILE, _LOUD_PERCENTILE = 5, 95
# Below the loud frames; the smaller depth counts where there are no pauses.
_SMALLEST_DEPTH_DB, _LARGEST_DEPTH_DB = 6.0, 30.0
# Above the noise floor, and as a share of the way from it to the loud frames.
_SMALLEST_RISE_DB, _RISE_SHARE = 5.0, 0.25
_LONGEST_GAP_SECONDS, _SHORTEST_SOUND_SECONDS, _SHORTEST_PHRASE_SECONDS = 0.1, 0.03, 0.15
_EDGE_SECONDS = 0.04  # soft beginnings and endings lie below the threshold
_FADE_SAMPLES = 80


def find_phrases(samples: np.ndarray) -> np.ndarray:
    """Frame ranges of the phrases of one person's recording: (samples,) at 16 kHz to (phrases, 2).

    The threshold follows the recording's own noise floor, which in LibriSpeech lies from 20 to 70 dB below its
    loudest frame. It is an energy criterion, so that a truth made of it owes nothing to any detector under test.
    """
    energies = _frame_energies_db(samples)
    floor, loud = np.percentile(energies, [_FLOOR_PERCENTILE, _LOUD_PERCENTILE])
    rise = max(_SMALLEST_RISE_DB, _RISE_SHARE * (loud - floor))
    threshold = max(floor + rise, loud - _LARGEST_DEPTH_DB)
    sounding = energies > min(threshold, loud - _SMALLEST_DEPTH_DB)
    sounding = drop_short(sounding, frames_of(_SHORTEST_SOUND_SECONDS))
    phrases = drop_short(
        fill_gaps(sounding, frames_of(_LONGEST_GAP_SECONDS)), frames_of(_SHORTEST_PHRASE_SECONDS)
    )
    edge = frames_of(_EDGE_SECONDS)
    return np.clip(spans_of(phrases) + np.array([-edge, edge]), 0, len(phrases))


def silence_pauses(samples: np.ndarray, phrases: np.ndarray) -> np.ndarray:
    """The recording with digital silence outside its phrases, faded at their edges: (samples,) float32."""
    gate = np.zeros(len(samples), np.float32)
    for start, end in phrases * FRAME_SAMPLES:
        gate[start:end] = 1
    fade = np.hanning(_FADE_SAMPLES + 2)[1:-1]
    return np.asarray(
        samples * np.convolve(gate, (fade / fade.sum()).astype(np.float32), mode="same"), np.float32
    )


def _frame_energies_db(samples: np.ndarray) -> np.ndarray:
    """Energy of every 10 ms frame in the band of speech, smoothed, dB of full scale: (frames,)."""
    squares = sosfilt(_SPEECH_BAND, samples) ** 2
    energies = np.pad(squares, (0, -len(squares) % FRAME_SAMPLES), mode="edge").reshape(-1, FRAME_SAMPLES)
    smoothed = uniform_filter1d(energies.mean(axis=1), max(1, frames_of(_SMOOTHING_SECONDS)))
    return 10 * np.log10(np.maximum(smoothed, 0) + _SMALLEST_ENERGY)
