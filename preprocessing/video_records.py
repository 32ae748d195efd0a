"""Videos of a data set as what the stages work on: frames at a chosen rate, and sound."""

from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from preprocessing.layouts import PlacedFile
from src.core.errors import MediaError
from src.media.guarded import probe_video


class PlacedSource(NamedTuple):
    """A file, or one frame of it: `time_seconds` since the start of the video, None for a whole file."""

    file: PlacedFile
    time_seconds: float | None = None


def sources_of(
    dataset: Path, files: Iterable[PlacedFile], frames_per_second: float, most_frames: int
) -> Iterator[PlacedSource]:
    """Every file; instead of a video among faces its frames, and its sound as a voice.

    A frame without a folder that names its video gets the file's name, so that frames of one video belong together.
    A video that cannot be opened is one frame, whose reason the face stage tells.
    """
    for file in files:
        if file.modality != "face" or not file.is_video:
            yield PlacedSource(file)
            continue
        has_sound, duration_seconds = _probed(dataset / file.key)
        if has_sound:
            yield PlacedSource(file._replace(modality="voice"))
        pictures = file._replace(video=file.video or PurePosixPath(file.key).name)
        for time_seconds in frame_times(duration_seconds, frames_per_second, most_frames):
            yield PlacedSource(pictures, time_seconds)


def frame_times(duration_seconds: float, frames_per_second: float, most_frames: int) -> list[float]:
    """Evenly spread times from 0 on, in whole milliseconds; at least one.

    >>> frame_times(2.5, 1.0, 100), frame_times(10.0, 1.0, 4)
    ([0.0, 1.0, 2.0], [0.0, 2.5, 5.0, 7.5])
    """
    count = max(1, ceil(duration_seconds * frames_per_second - 0.001))
    if count > most_frames:
        return [round(number * duration_seconds / most_frames, 3) for number in range(most_frames)]
    return [round(number / frames_per_second, 3) for number in range(count)]


def _probed(path: Path) -> tuple[bool, float]:
    """Whether there is sound, and for how long there are pictures."""
    try:
        information = probe_video(path)
    except MediaError as error:
        return error.reason == "no_video", 0.0
    return information.has_sound, information.duration_seconds
