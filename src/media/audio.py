"""The only code that reads and writes sound files."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from src.core.errors import MediaError
from src.core.files import atomic_path

SAMPLE_RATE_HZ = 16_000
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 4_000, 384_000


def read_audio(path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """Decode a sound file to mono float32 of shape (samples,) at `sample_rate_hz`, full scale = 1.

    Raises MediaError with reason `missing`, `unreadable_audio`, `empty_audio`, `odd_sample_rate` or
    `not_finite`.
    """
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    try:
        samples, file_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise MediaError("unreadable_audio", f"{path}: not decodable as sound: {error}") from error
    if not len(samples):
        raise MediaError("empty_audio", f"{path}: holds no sample")
    if not _LOWEST_RATE_HZ <= file_rate_hz <= _HIGHEST_RATE_HZ:
        raise MediaError("odd_sample_rate", f"{path}: a sample rate of {file_rate_hz} Hz is not speech")
    mono = samples.mean(axis=1, dtype=np.float32) if samples.shape[1] > 1 else samples[:, 0]
    if not np.isfinite(mono).all():
        raise MediaError("not_finite", f"{path}: holds samples that are NaN or infinite")
    if file_rate_hz != sample_rate_hz:
        mono = soxr.resample(mono, file_rate_hz, sample_rate_hz)
    return np.ascontiguousarray(mono, dtype=np.float32)


def write_audio(path: Path, samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Write mono samples (full scale = 1, clipped beyond) as 16-bit PCM WAV, atomically."""
    with atomic_path(path) as temporary:
        soundfile.write(temporary, np.clip(samples, -1, 1), sample_rate_hz, subtype="PCM_16", format="WAV")
