"""Decoding as the stages do it: in a process of its own, so that the death of a decoder is the failure of one file.

The same functions as in `audio`, `image` and `video`, with the same results to the bit, and three more reasons:
`decoder_crashed`, `decoder_timeout` and `decoder_memory` (`decoder_process.DecoderLimits`). A file whose decoder dies is
tried once more, since the system may have killed the process for want of memory that others took.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from src.core.errors import MediaError
from src.media.audio import SAMPLE_RATE_HZ, joined
from src.media.decoder_process import DecoderDiedError, Reply, replies_of_decoder
from src.media.decoder_server import CRASHED
from src.media.image import DecodedImage
from src.media.video import VideoInformation

_BLOCK_SAMPLES = 1 << 14
Result = TypeVar("Result")


def read_audio(
    path: Path,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    dtype: type[np.float32] | type[np.float16] = np.float32,
) -> np.ndarray:
    """See `audio.read_audio`."""

    def read() -> np.ndarray:
        with closing(replies_of_decoder("audio", path, sample_rate_hz=sample_rate_hz)) as replies:
            return joined(path, chain.from_iterable(map(_blocks, replies)), sample_rate_hz, dtype)

    return _again_if_it_dies(read)


def read_image(path: Path) -> np.ndarray:
    """See `image.read_image`."""
    return decode_image(path).pixels


def decode_image(path: Path, longest_side_pixels: int | None = None) -> DecodedImage:
    """See `image.decode_image`."""

    def decode() -> DecodedImage:
        with closing(replies_of_decoder("image", path, longest_side_pixels=longest_side_pixels)) as replies:
            said, pixels = _array(replies)
        return DecodedImage(pixels, said["height_pixels"], said["width_pixels"])

    return _again_if_it_dies(decode)


def probe_video(path: Path) -> VideoInformation:
    """See `video.probe_video`."""

    def probe() -> VideoInformation:
        with closing(replies_of_decoder("video", path)) as replies:
            said = next(replies).said
        return VideoInformation(duration_seconds=said["duration_seconds"], has_sound=said["has_sound"])

    return _again_if_it_dies(probe)


def read_frames(
    path: Path, times_seconds: Sequence[float]
) -> Iterator[tuple[float, np.ndarray | MediaError]]:
    """See `video.read_frames`; where its decoder dies twice, all later times have that as their reason."""
    given = 0
    try:
        for frame in _frames(path, times_seconds):
            yield times_seconds[given], frame
            given += 1
    except DecoderDiedError:
        yield from _frames_after_a_death(path, times_seconds, given)
    except MediaError as error:
        yield from ((seconds, error) for seconds in times_seconds[given:])


def _frames_after_a_death(
    path: Path, times_seconds: Sequence[float], given: int
) -> Iterator[tuple[float, np.ndarray | MediaError]]:
    """What `read_frames` gives once more, without the first `given`."""
    place = 0
    try:
        for frame in _frames(path, times_seconds):
            if place >= given:
                yield times_seconds[place], frame
            place += 1
    except (DecoderDiedError, MediaError) as error:
        reason = error if isinstance(error, MediaError) else MediaError(CRASHED, str(error))
        yield from ((seconds, reason) for seconds in times_seconds[max(place, given) :])


def _frames(path: Path, times_seconds: Sequence[float]) -> Iterator[np.ndarray | MediaError]:
    times = np.array(times_seconds, np.float64).tobytes()
    with closing(replies_of_decoder("frames", path, times)) as replies:
        for _ in times_seconds:
            said, pixels = _array(replies)
            yield MediaError(said["reason"], said["explanation"]) if "reason" in said else pixels


def _blocks(reply: Reply) -> Iterator[np.ndarray]:
    """Samples in pieces that a processor's cache holds."""
    samples = reply.content.view(np.float32)
    return (samples[first : first + _BLOCK_SAMPLES] for first in range(0, len(samples), _BLOCK_SAMPLES))


def _array(replies: Iterator[Reply]) -> tuple[dict[str, Any], np.ndarray]:
    """What was said with the first piece of an array of bytes, and the array; nothing where it has no shape."""
    first = next(replies)
    shape = tuple(map(int, first.said.get("shape", (0,))))
    array = np.empty(shape, np.uint8)
    flat = array.reshape(-1)
    filled = 0
    reply = first
    while True:
        flat[filled : filled + len(reply.content)] = reply.content
        filled += len(reply.content)
        if filled == len(flat):
            return first.said, array
        reply = next(replies)


def _again_if_it_dies(decode: Callable[[], Result]) -> Result:
    try:
        return decode()
    except DecoderDiedError:
        pass
    try:
        return decode()
    except DecoderDiedError as error:
        raise MediaError(CRASHED, str(error)) from error
