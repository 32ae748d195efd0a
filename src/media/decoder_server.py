"""The process in which files are decoded: it reads requests, decodes, and answers, under limits that the system enforces.

One message is one line of JSON on a socket; arrays go through a buffer of memory that both sides share, a piece at a
time. Nothing is pickled, so that not even a decoder that a file has taken over could hand code to the process that asked.
`decoder_process` is the other side.
"""

import json
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np

from src.core.errors import MediaError

BUFFER_BYTES = 1 << 23  # two minutes of speech, or an image of 2.8 megapixels
MESSAGE_BYTES = 1 << 16
READY, NEXT, STOP = b"ready", b"next", b"stop"
CRASHED, TIMEOUT, OUT_OF_MEMORY = "decoder_crashed", "decoder_timeout", "decoder_memory"
_LONGEST_EXPLANATION = 2_000

Reply = tuple[dict[str, Any], int]
"""What is said, and the number of bytes that lie in the buffer."""


def main() -> None:
    """Serve until the other side hangs up. Arguments: descriptors of socket and buffer, limits in CPU seconds and bytes."""
    connection_descriptor, buffer_descriptor, processor_seconds, memory_bytes = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked decides what an interruption ends
    _limit_resources(memory_bytes)
    buffer = np.frombuffer(mmap.mmap(buffer_descriptor, BUFFER_BYTES), np.uint8)
    with socket.socket(fileno=connection_descriptor) as connection:
        connection.send(READY)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 2)  # notes that libraries print on damaged files
        while request := connection.recv(MESSAGE_BYTES):
            if not _answer(connection, buffer, json.loads(request), processor_seconds):
                return


def _limit_resources(memory_bytes: int) -> None:
    """Memory beyond what is loaded already; no file is written, no core dumped."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + memory_bytes
    for kind, value in (
        (resource.RLIMIT_AS, limit),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _allow_seconds(processor_seconds: int) -> None:
    """From now on; the system kills by SIGXCPU, however deep in a library the process is."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = used + processor_seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def _answer(
    connection: socket.socket, buffer: np.ndarray, request: dict[str, Any], processor_seconds: int
) -> bool:
    """Send the replies to one request, each when it is asked for; whether the process is still fit for another."""
    path = Path(request["path"])
    replies = _CALLS[request["call"]](path, request, buffer)
    while True:
        _allow_seconds(processor_seconds)
        try:
            said, byte_count = next(replies, ({"end": True}, 0))
        except MediaError as error:
            said, byte_count = _refusal(error.reason, str(error)), 0
        except MemoryError:
            said, byte_count = _refusal(OUT_OF_MEMORY, f"{path}: decoding takes too much memory"), 0
        except Exception as error:  # decoders raise whatever their parsing stumbles on
            said, byte_count = _refusal(CRASHED, f"{path}: {type(error).__name__}: {error}"), 0
        connection.send(json.dumps({**said, "bytes": byte_count}).encode())
        if said.get("end"):
            return said.get("reason") not in (OUT_OF_MEMORY, CRASHED)
        if connection.recv(MESSAGE_BYTES) != NEXT:
            replies.close()
            return True


def _refusal(reason: str, explanation: str) -> dict[str, Any]:
    return {"end": True, "reason": reason, "explanation": explanation[:_LONGEST_EXPLANATION]}


def _audio(path: Path, request: dict[str, Any], buffer: np.ndarray) -> Generator[Reply, None, None]:
    """The samples of a file in float32, as many at a time as the buffer holds."""
    from src.media.audio import mono_blocks

    samples = buffer.view(np.float32)
    filled = 0
    for decoded in mono_blocks(path, request["sample_rate_hz"]):
        block = decoded
        while len(block):
            taken = min(len(block), len(samples) - filled)
            samples[filled : filled + taken] = block[:taken]
            filled, block = filled + taken, block[taken:]
            if filled == len(samples):
                yield {}, buffer.nbytes
                filled = 0
    yield {"end": True}, filled * samples.itemsize


def _image(path: Path, request: dict[str, Any], buffer: np.ndarray) -> Generator[Reply, None, None]:
    from src.media.image import decode_image

    image = decode_image(path, request["longest_side_pixels"])
    said = {"height_pixels": image.height_pixels, "width_pixels": image.width_pixels}
    yield from _pixels(image.pixels, buffer, said, end=True)


def _frames(path: Path, request: dict[str, Any], buffer: np.ndarray) -> Generator[Reply, None, None]:
    """Each frame, or why there is none; the times lie in the buffer."""
    from src.media.video import read_frames

    times = buffer[: request["bytes"]].view(np.float64).tolist()
    for _, frame in read_frames(path, times):
        if isinstance(frame, MediaError):
            yield {"reason": frame.reason, "explanation": str(frame)[:_LONGEST_EXPLANATION]}, 0
        else:
            yield from _pixels(frame, buffer, {}, end=False)


def _video(path: Path, _request: dict[str, Any], _buffer: np.ndarray) -> Generator[Reply, None, None]:
    from src.media.video import probe_video

    information = probe_video(path)
    yield {**vars(information), "end": True}, 0


def _pixels(
    pixels: np.ndarray, buffer: np.ndarray, said: dict[str, Any], *, end: bool
) -> Generator[Reply, None, None]:
    """An array of bytes, a piece at a time; the first tells its shape."""
    content = pixels.reshape(-1)
    said = {**said, "shape": pixels.shape}
    for first in range(0, len(content), len(buffer)):
        piece = content[first : first + len(buffer)]
        buffer[: len(piece)] = piece
        yield {**said, "end": end and first + len(piece) == len(content)}, len(piece)
        said = {}


_CALLS: dict[str, Callable[[Path, dict[str, Any], np.ndarray], Generator[Reply, None, None]]] = {
    "audio": _audio,
    "image": _image,
    "frames": _frames,
    "video": _video,
}
