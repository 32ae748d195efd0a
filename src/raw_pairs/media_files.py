"""Files that a user names → the records that the stages work on."""

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from preprocessing.face_settings import FaceSettings
from preprocessing.layouts import PlacedFile
from preprocessing.video_records import sources_of
from src.artifacts.sources import Modality, SourceRecord, frame_key
from src.core.errors import ListError
from src.raw_pairs.media_worker import FILE_SYSTEM

MediaPath = str | os.PathLike[str]


def media_key(path: MediaPath) -> str:
    """The key of a file: its absolute path without the leading slash. Links are not followed: names tell kinds.

    Raises ListError for a name that is not UTF-8, which no table can hold.
    """
    absolute = os.path.abspath(path)  # noqa: PTH100  Path.resolve follows links
    try:
        absolute.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ListError(f"{absolute!r}: the name is not UTF-8; rename the file") from error
    return absolute.removeprefix(str(FILE_SYSTEM))


def media_records(
    keys: Iterable[str], modality: Modality, settings: FaceSettings
) -> Mapping[str, list[SourceRecord]]:
    """The records of each file: one, or of a video among faces one a frame.

    They are records of a test set: nothing is known of the person, and every file stands alone. A file that is not
    there has a record too; the stage says so.
    """
    return {key: _records(key, modality, settings) for key in dict.fromkeys(keys)}


def _records(key: str, modality: Modality, settings: FaceSettings) -> list[SourceRecord]:
    path = FILE_SYSTEM / key
    status = path.stat() if path.is_file() else None
    size_bytes, modified_ns = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    file = PlacedFile(key, modality, "", "", "", "test", size_bytes, modified_ns)
    sources = sources_of(
        FILE_SYSTEM, [file], settings.video_frames_per_second, settings.most_frames_per_video
    )
    return [
        SourceRecord(
            key=key if source.time_seconds is None else frame_key(key, source.time_seconds),
            modality=modality,
            identity="",
            language="",
            video=PurePosixPath(key).name if source.time_seconds is not None else "",
            split="test",
            size_bytes=size_bytes,
            time_seconds=source.time_seconds,
            modified_ns=modified_ns,
        )
        for source in sources
        if source.file.modality == modality
    ]
