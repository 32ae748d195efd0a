"""A decoding process whose decoders do what a file's name says; run in place of the real one's `main`."""

import ctypes
import os
import signal
from pathlib import Path

from src.media import audio, decoder_server, image, video

PROGRAM = "import tests.media.faulty_decoder as faulty; faulty.main()"


def misbehave(path: Path) -> None:
    kind = path.name.partition(".")[0]
    if kind == "segfault":
        ctypes.string_at(0)
    elif kind == "abort":
        os.abort()
    elif kind == "endless":
        while True:
            pass
    elif kind == "memory":
        bytearray(1 << 40)
    elif kind == "stumble":
        raise ZeroDivisionError("a header says 0")
    elif kind == "once" and not (path.parent / "died").exists():
        (path.parent / "died").mkdir()  # a decoder may not write files
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "writes":
        (path.parent / "written").write_text("something")
    elif kind == "token" and "HF_TOKEN" in os.environ:
        raise ZeroDivisionError(os.environ["HF_TOKEN"])


def main() -> None:
    for module, name in ((audio, "mono_blocks"), (image, "decode_image"), (video, "probe_video")):
        setattr(module, name, _after_misbehaving(getattr(module, name)))
    video._picture = _after_misbehaving_at_a_frame(video._picture)
    decoder_server.main()


def _after_misbehaving(decode):
    def decode_if_it_lives(path, *arguments):
        misbehave(path)
        return decode(path, *arguments)

    return decode_if_it_lives


def _after_misbehaving_at_a_frame(picture):
    def picture_if_it_lives(frame, stream, path):
        if frame.pts * stream.time_base >= 1:
            misbehave(path)
        return picture(frame, stream, path)

    return picture_if_it_lives
