"""Where raw voices and faces lie in a data set, and what their folders say about them.

A video is placed as a face, or as a voice below a folder of voices; `preprocessing.video_records` makes frames and sound of it.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from src.artifacts.sources import Modality, Split
from src.core.errors import DatasetError

MODALITY_FOLDERS: dict[Modality, tuple[str, ...]] = {
    "voice": ("voices", "voice", "wav"),
    "face": ("faces", "face", "videos", "video", "mp4"),
}
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"})
SUFFIXES: dict[Modality, frozenset[str]] = {
    "voice": frozenset(
        {
            ".wav",
            ".flac",
            ".ogg",
            ".oga",
            ".opus",
            ".mp3",
            ".m4a",
            ".aac",
            ".aif",
            ".aiff",
            ".au",
            ".caf",
            ".w64",
        }
    )
    | VIDEO_SUFFIXES,
    "face": frozenset(
        {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
    )
    | VIDEO_SUFFIXES,
}
KNOWN_LANGUAGES = frozenset({"English", "Urdu", "Hindi", "German", "Bangla"})
RECOGNISED_LAYOUTS = """\
  MAV-Celeb, training     voices/<person>/<Language>/<video>/00000.wav     faces/<person>/<Language>/<video>/0000275.jpg
  MAV-Celeb v1, test      voices/<Language>/00000.wav                      faces/<Language>/00000.jpg
  MAV-Celeb v3, test      <Language>_test/voices/00000.wav                 <Language>_test/faces/00000.jpg
  a folder a person       voices/<person>/any.wav                          faces/<person>/any.jpg
  VoxCeleb                wav/<person>/<video>/00001.wav, or id10001/<video>/00001.wav
  videos                  faces/<person>/any.mp4 or videos/<person>/any.mp4, or <person>/any.mp4 where nothing else is"""

_DEEPEST_LEVEL = 5
_TEST_FOLDER = re.compile(r"(.+)_test")
_VOXCELEB_PERSON = re.compile(r"id\d+")
NOT_MEDIA, NOT_IN_LAYOUT, HIDDEN, ODD_NAME = (
    "other kind of file",
    "outside the layouts",
    "hidden",
    "name is not UTF-8",
)


@dataclass(frozen=True, kw_only=True)
class PlacedFile:
    """One raw file and what its place says.

    key: path relative to the data set, with forward slashes.
    person: name of the person's folder, numbered within its modality; empty for test media.
    language, video: empty where the layout has no such folder.
    """

    key: str
    modality: Modality
    person: str
    language: str
    video: str
    split: Split
    size_bytes: int

    @property
    def is_video(self) -> bool:
        """Whether the file is a video, by its suffix."""
        return PurePosixPath(self.key).suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True, kw_only=True)
class LayoutScan:
    """All files of a data set that lie in a recognised layout, ordered by key, and counts of the others."""

    files: list[PlacedFile]
    ignored: Counter[str]


def scan_layout(dataset: Path, listed_languages: frozenset[str] = frozenset()) -> LayoutScan:
    """Find all raw voices and faces below `dataset`, which is only read.

    listed_languages: languages that lists are there for; with KNOWN_LANGUAGES and the languages of the
        training folders they tell `voices/<Language>/` from `voices/<person>/`.
    Raises DatasetError when the folder is missing, empty, unreadable or in no recognised layout.
    """
    if not dataset.is_dir():
        raise DatasetError(f"{dataset}: no such folder. Give the folder that holds voices/ and faces/.")
    try:
        entries = list(_walk(dataset, ()))
    except OSError as error:
        raise DatasetError(f"{dataset}: cannot be read: {error}") from error
    if not entries:
        raise DatasetError(f"{dataset}: the folder is empty. Recognised layouts:\n{RECOGNISED_LAYOUTS}")
    languages = KNOWN_LANGUAGES | listed_languages | _training_languages(entries)
    people_hold_videos = not any(_modality_and_rest(parts) for parts, _ in entries)
    files, ignored = [], Counter[str]()
    for parts, size_bytes in entries:
        reason = _reason_to_ignore(parts)
        # where there are no folders of voices and faces, the folders of people hold their videos themselves
        below = ["videos", *parts] if people_hold_videos and len(parts) == 2 else parts
        placed = None if reason else place(below, languages, size_bytes)
        if placed is not None and below is not parts:
            placed = replace(placed, key="/".join(parts)) if placed.is_video else None
        if placed is not None:
            files.append(placed)
        else:
            ignored[reason or NOT_IN_LAYOUT] += 1
    if not files:
        raise DatasetError(_unrecognised(dataset, ignored))
    return LayoutScan(files=sorted(files, key=lambda file: file.key), ignored=ignored)


def place(parts: Sequence[str], languages: frozenset[str], size_bytes: int) -> PlacedFile | None:
    """What a path, split at its slashes and relative to the data set, means; None where no layout has it."""
    found = _modality_and_rest(parts)
    if found is None:
        return None
    modality, rest = found
    if PurePosixPath(parts[-1]).suffix.lower() not in SUFFIXES[modality]:
        return None
    split: Split = "train"
    person = language = video = ""
    test_folder = _TEST_FOLDER.fullmatch(parts[0])
    match rest:
        case [_] if test_folder:
            language, split = test_folder.group(1), "test"
        case _ if test_folder:
            return None
        case [language, _] if language in languages:
            split = "test"
        case [person, _]:
            language = ""
        case [person, language, _] if language in languages:
            pass
        case [person, video, _]:
            language = ""
        case [person, language, video, _]:
            pass
        case _:
            return None
    return PlacedFile(
        key="/".join(parts),
        modality=modality,
        person=person,
        language=language,
        video=video,
        split=split,
        size_bytes=size_bytes,
    )


def modality_of_folder(name: str) -> Modality | None:
    """The modality that a folder's name stands for."""
    return next((modality for modality, names in MODALITY_FOLDERS.items() if name in names), None)


def _modality_and_rest(parts: Sequence[str]) -> tuple[Modality, list[str]] | None:
    """Modality, and the parts below its folder."""
    if modality := modality_of_folder(parts[0]):
        return modality, list(parts[1:])
    if len(parts) > 2 and _TEST_FOLDER.fullmatch(parts[0]) and (modality := modality_of_folder(parts[1])):
        return modality, list(parts[2:])
    if len(parts) == 3 and _VOXCELEB_PERSON.fullmatch(parts[0]):
        suffix = PurePosixPath(parts[-1]).suffix.lower()
        kinds = [kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes]
        return (kinds[-1], list(parts)) if kinds else None  # a video is a face
    return None


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Path parts and size of each file below a folder. Links are followed; the depth is bounded, so no circle lasts."""
    with os.scandir(folder) as entries:
        for entry in entries:
            parts = (*above, entry.name)
            if entry.is_dir():
                if len(parts) < _DEEPEST_LEVEL:
                    yield from _walk(Path(entry.path), parts)
            elif entry.is_file():
                yield parts, entry.stat().st_size


def _training_languages(entries: Sequence[tuple[tuple[str, ...], int]]) -> frozenset[str]:
    return frozenset(parts[2] for parts, _ in entries if len(parts) == 5 and modality_of_folder(parts[0]))


def _reason_to_ignore(parts: Sequence[str]) -> str:
    if any(part.startswith(".") for part in parts):
        return HIDDEN
    if not all(_is_text(part) for part in parts):
        return ODD_NAME
    suffix = PurePosixPath(parts[-1]).suffix.lower()
    return "" if any(suffix in suffixes for suffixes in SUFFIXES.values()) else NOT_MEDIA


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unrecognised(dataset: Path, ignored: Counter[str]) -> str:
    children = sorted(dataset.iterdir())
    shown = ", ".join(f"{child.name}/" if child.is_dir() else child.name for child in children[:12])
    counts = ", ".join(f"{count} {reason}" for reason, count in ignored.most_common())
    inner = [
        child
        for child in children
        if child.is_dir() and any(modality_of_folder(grandchild.name) for grandchild in child.iterdir())
    ]
    hint = f"\nDid you mean {inner[0]}?" if inner else ""
    return (
        f"{dataset}: no voices or faces in a layout that is recognised. It holds {shown or 'nothing'}"
        f"{' …' if len(children) > 12 else ''} (files: {counts}). Recognised layouts:\n{RECOGNISED_LAYOUTS}{hint}"
    )
