"""The only code that reads and writes sound files.

libsndfile decodes what it knows (WAV, FLAC, OGG, Opus ...); PyAV, whose wheel carries FFmpeg, decodes the rest
(MP3, M4A, the sound of MP4, MKV and WebM). Files are decoded, mixed down and resampled a block at a time, so that beside
the result of an hour-long file there are never more than a few MB in memory.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from src.core.errors import MediaError
from src.core.files import atomic_path
from src.media.container import open_container

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler
    from av.container import InputContainer

SAMPLE_RATE_HZ = 16_000
LONGEST_SECONDS = 12 * 3600  # 2.8 GB; a kilobyte of compressed silence can claim more
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 4_000, 384_000
_HIGHEST_SAMPLE = 1e10  # the squares of what is louder would overflow
_BLOCK_SAMPLES = 1 << 16
_FIRST_CAPACITY_SECONDS = 60
_MPEG_SUFFIXES = {
    ".mp1",
    ".mp2",
    ".mp3",
}  # libsndfile knows them too, but prints notes on stderr while it decodes

SoundBlock = tuple[int, np.ndarray]
"""Sample rate in Hz and decoded float32 samples (samples, channels)."""


def read_audio(
    path: Path,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    dtype: type[np.float32] | type[np.float16] = np.float32,
) -> np.ndarray:
    """Decode a sound file, or the first sound of a video, to mono samples (samples,) at `sample_rate_hz`, full scale = 1.

    dtype: half precision takes half the memory and is cut at 65,504 times full scale.
    Raises MediaError with reason `missing`, `unreadable_audio`, `empty_audio`, `odd_sample_rate`, `not_finite`,
    `too_long` or `no_sound` (a video without sound).
    """
    return joined(path, mono_blocks(path, sample_rate_hz), sample_rate_hz, dtype)


def mono_blocks(path: Path, sample_rate_hz: int) -> Iterator[np.ndarray]:
    """What `read_audio` joins: blocks (samples,) in float32 as decoded and resampled, not yet looked at for infinity."""
    if not path.is_file():
        raise MediaError("missing", f"{path}: no such file")
    resampler: soxr.ResampleStream | None = None
    file_rate_hz = file_samples = 0
    for block_rate_hz, block in _decoded_blocks(path):
        if not file_rate_hz:
            if not _LOWEST_RATE_HZ <= block_rate_hz <= _HIGHEST_RATE_HZ:
                raise MediaError(
                    "odd_sample_rate", f"{path}: a sample rate of {block_rate_hz} Hz is not speech"
                )
            file_rate_hz = block_rate_hz
            if file_rate_hz != sample_rate_hz:
                resampler = soxr.ResampleStream(file_rate_hz, sample_rate_hz, 1, dtype="float32")
        if block_rate_hz != file_rate_hz:
            raise MediaError("unreadable_audio", f"{path}: its sample rate changes on the way")
        file_samples += len(block)
        if file_samples > LONGEST_SECONDS * file_rate_hz:
            raise MediaError(
                "too_long", f"{path}: more than {LONGEST_SECONDS // 3600} hours of sound; cut it into pieces"
            )
        mono = _mixed_down(block)
        yield resampler.resample_chunk(mono) if resampler else mono
    if not file_rate_hz:
        raise MediaError("empty_audio", f"{path}: holds no sample")
    if resampler:
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def joined(
    path: Path,
    blocks: Iterable[np.ndarray],
    sample_rate_hz: int,
    dtype: type[np.float32] | type[np.float16],
) -> np.ndarray:
    """Join the blocks of a file to one recording (samples,). Raises MediaError `not_finite`."""
    recording = _GrowingRecording(path, _FIRST_CAPACITY_SECONDS * sample_rate_hz, dtype)
    for block in blocks:
        recording.append(block)
    return recording.finished()


def write_audio(path: Path, samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Write mono samples (full scale = 1, clipped beyond) as 16-bit PCM WAV, atomically."""
    with (
        atomic_path(path) as temporary,
        soundfile.SoundFile(temporary, "w", sample_rate_hz, 1, subtype="PCM_16", format="WAV") as file,
    ):
        for first in range(0, len(samples), _BLOCK_SAMPLES):
            file.write(np.clip(samples[first : first + _BLOCK_SAMPLES], -1, 1).astype(np.float32))


class _GrowingRecording:
    """Samples that are appended to. It grows by a sixteenth, in place where the system can."""

    def __init__(self, path: Path, capacity: int, dtype: type[np.float32] | type[np.float16]) -> None:
        self._path = path
        self._samples = np.empty(capacity, dtype)
        self._largest = float(np.finfo(dtype).max)
        self._filled = 0

    def append(self, block: np.ndarray) -> None:
        """Raises MediaError `not_finite`."""
        if not (np.abs(block) <= _HIGHEST_SAMPLE).all():
            raise MediaError("not_finite", f"{self._path}: holds samples that are NaN, infinite or nearly so")
        end = self._filled + len(block)
        if end > len(self._samples):
            self._samples.resize(max(end, len(self._samples) * 17 // 16), refcheck=False)
        self._samples[self._filled : end] = np.clip(block, -self._largest, self._largest)
        self._filled = end

    def finished(self) -> np.ndarray:
        """All samples, in memory of just their size."""
        self._samples.resize(self._filled, refcheck=False)
        return self._samples


def _mixed_down(block: np.ndarray) -> np.ndarray:
    """The mean of the channels: (samples, channels) to (samples,)."""
    if block.shape[1] == 1:
        return block[:, 0]
    mono = block[:, 0].copy()
    with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for infinity
        for channel in block.T[1:]:
            mono += channel
    mono *= np.float32(1 / block.shape[1])
    return mono


def _decoded_blocks(path: Path) -> Iterator[SoundBlock]:
    """The sound of a file, block by block, by whichever library can open it."""
    if path.suffix.lower() in _MPEG_SUFFIXES:
        yield from _blocks_by_av(path)
        return
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as refusal:
        yield from _blocks_by_av(path, f"{refusal}; ")
        return
    with file:
        yield from _blocks_by_libsndfile(file, path)


def _blocks_by_libsndfile(file: soundfile.SoundFile, path: Path) -> Iterator[SoundBlock]:
    block_samples = max(1, _BLOCK_SAMPLES // file.channels)
    while True:
        try:
            block = file.read(block_samples, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
            raise MediaError("unreadable_audio", f"{path}: damaged sound: {error}") from error
        if not len(block):
            return
        yield file.samplerate, block


def _blocks_by_av(path: Path, refusal: str = "") -> Iterator[SoundBlock]:
    """The first sound stream of what FFmpeg can open. `refusal` is what libsndfile had against the file."""
    import av  # loads FFmpeg, which most data sets do not need

    try:
        with open_container(path) as container:
            if not container.streams.audio:
                raise _without_sound(container, path)
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise MediaError("unreadable_audio", f"{path}: its sound is of an unknown kind")
            yield from _gathered(container.decode(stream), av.AudioResampler(format="fltp"))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError("unreadable_audio", f"{path}: not decodable as sound: {refusal}{error}") from error


def _gathered(frames: Iterator["AudioFrame"], to_float: "AudioResampler") -> Iterator[SoundBlock]:
    """Join frames, which hold about a thousand samples, into blocks of a useful size."""
    pieces: list[np.ndarray] = []
    rate_hz = gathered_samples = 0
    for frame in frames:
        rate_hz = frame.sample_rate
        for converted in to_float.resample(frame):
            pieces.append(converted.to_ndarray())
            gathered_samples += converted.samples
        if gathered_samples >= _BLOCK_SAMPLES:
            yield rate_hz, np.concatenate(pieces, axis=1).T
            pieces, gathered_samples = [], 0
    if pieces:
        yield rate_hz, np.concatenate(pieces, axis=1).T


def _without_sound(container: "InputContainer", path: Path) -> MediaError:
    if container.streams.video:
        return MediaError("no_sound", f"{path}: a video without sound")
    return MediaError("unreadable_audio", f"{path}: holds no sound")
