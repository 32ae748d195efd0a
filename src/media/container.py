"""Opening what FFmpeg reads: videos, and sound that libsndfile does not know."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

# Playlists are left out: they would make FFmpeg read other files, or the network.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,aac,ac3,eac3,mp3,mp2,flac,wav,w64,aiff,au,caf,amr,asf,avi,flv,"
    "mpeg,mpegts,tta,ape,wv,dts"
)


@contextmanager
def open_container(path: Path) -> Iterator["InputContainer"]:
    """Open a file for demuxing. Raises av.error.FFmpegError, OSError or ValueError, also from within."""
    import av  # loads FFmpeg, which most data sets do not need

    # an open file, since FFmpeg would take a name with a colon for an address
    with path.open("rb") as file, av.open(file, "r", options={"format_whitelist": _FORMATS}) as container:
        yield container
