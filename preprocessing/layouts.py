"""Where raw voices and faces lie in a data set, and what their folders say about them.

A video is placed as a face, or as a voice below a folder of voices; `preprocessing.video_records` makes frames and sound of it.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from preprocessing.folder_reading import Folder
from preprocessing.folder_walk import walk_folders
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

_ALL_SUFFIXES = frozenset().union(*SUFFIXES.values())
_TEST_FOLDER = re.compile(r"(.+)_test")
_VOXCELEB_PERSON = re.compile(r"id\d+")
NOT_MEDIA, NOT_IN_LAYOUT, HIDDEN, ODD_NAME = (
    "other kind of file",
    "outside the layouts",
    "hidden",
    "name is not UTF-8",
)


class PlacedFile(NamedTuple):
    """One raw file and what its place says.

    key: path relative to the data set, with forward slashes.
    person: name of the person's folder, numbered within its modality; empty for test media.
    language, video: empty where the layout has no such folder.
    size_bytes, modified_ns: as its file system says.
    """

    key: str
    modality: Modality
    person: str
    language: str
    video: str
    split: Split
    size_bytes: int
    modified_ns: int = 0

    @property
    def is_video(self) -> bool:
        """Whether the file is a video, by its suffix."""
        return _suffix(self.key) in VIDEO_SUFFIXES


class PlacedFolder(NamedTuple):
    """Files of one folder and one suffix, of which the layouts say the same; in order of their names.

    place: what that is, with the suffix for a name and no sizes and times.
    sizes_bytes, modified_ns: int64 (files,).
    """

    place: PlacedFile
    above: str
    names: Sequence[str]
    sizes_bytes: "array[int]"
    modified_ns: "array[int]"

    @property
    def keys(self) -> list[str]:
        """Of its files."""
        above = self.above
        return [above + name for name in self.names]

    def files(self) -> Iterator[PlacedFile]:
        """One by one."""
        for key, size_bytes, modified_ns in zip(self.keys, self.sizes_bytes, self.modified_ns, strict=True):
            yield self.place._replace(key=key, size_bytes=size_bytes, modified_ns=modified_ns)


@dataclass(frozen=True, kw_only=True)
class LayoutScan:
    """All files of a data set that lie in a recognised layout, and counts of the others.

    folders: made when they are asked for, once, so that millions of names are not in memory twice.
    ignored: complete when they were.
    """

    folders: Iterator[PlacedFolder]
    ignored: Counter[str]


def scan_layout(
    dataset: Path, listed_languages: frozenset[str] = frozenset(), *, follow_links: bool = False
) -> LayoutScan:
    """Find all raw voices and faces below `dataset`, which is only read.

    listed_languages: languages that lists are there for; with KNOWN_LANGUAGES and the languages of the
        training folders they tell `voices/<Language>/` from `voices/<person>/`.
    follow_links: also links that lead out of the data set.
    Raises DatasetError when the folder is missing, empty, unreadable or in no recognised layout, or holds a link that
    leads out of it.
    """
    if not dataset.is_dir():
        raise DatasetError(f"{dataset}: no such folder. Give the folder that holds voices/ and faces/.")
    try:
        folders = walk_folders(dataset, follow_links=follow_links)
    except OSError as error:
        raise DatasetError(f"{dataset}: cannot be read: {error}") from error
    if not folders:
        raise DatasetError(f"{dataset}: the folder is empty. Recognised layouts:\n{RECOGNISED_LAYOUTS}")
    languages = KNOWN_LANGUAGES | listed_languages | _training_languages(folders)
    ignored = Counter[str]()
    placed = _all_placed(folders, languages, ignored)
    first = next(placed, None)
    if first is None:
        raise DatasetError(_unrecognised(dataset, ignored))
    return LayoutScan(folders=chain([first], placed), ignored=ignored)


def place(
    parts: Sequence[str], languages: frozenset[str], size_bytes: int, modified_ns: int = 0
) -> PlacedFile | None:
    """What a path, split at its slashes and relative to the data set, means; None where no layout has it.

    Of the file's name it is the suffix alone that counts.
    """
    found = _modality_and_rest(parts)
    if found is None:
        return None
    modality, rest = found
    if _suffix(parts[-1]) not in SUFFIXES[modality]:
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
        modified_ns=modified_ns,
    )


def _all_placed(
    folders: list[Folder], languages: frozenset[str], ignored: Counter[str]
) -> Iterator[PlacedFolder]:
    people_hold_videos = not any(map(_has_files_of_a_modality, folders))
    folders.reverse()
    while folders:  # taken out one by one, so that millions of files are not in memory twice
        yield from _placed(folders.pop(), languages, people_hold_videos, ignored)


def _has_files_of_a_modality(folder: Folder) -> bool:
    # of names within folders it is the suffix alone that counts
    ends: Iterable[str] = set(map(_suffix, folder.names)) if folder.parts else folder.names
    return any(_modality_and_rest((*folder.parts, end)) for end in ends)


def _placed(
    folder: Folder, languages: frozenset[str], people_hold_videos: bool, ignored: Counter[str]
) -> Iterator[PlacedFolder]:
    """The files of one folder that lie in a layout, by their suffix; the others are counted."""
    above, names = folder.above, folder.names
    if reason := _reason_of_names(folder.parts):
        ignored[reason] += len(names)
        return
    for suffix, places in _places_by_suffix(folder, names, ignored).items():
        place = _place_in(folder.parts, suffix, languages, people_hold_videos)
        if place is None:
            ignored[NOT_IN_LAYOUT] += len(places)
        elif len(places) == len(names):
            yield PlacedFolder(place, above, names, folder.sizes_bytes, folder.modified_ns)
        else:
            yield PlacedFolder(
                place,
                above,
                [names[at] for at in places],
                array("q", [folder.sizes_bytes[at] for at in places]),
                array("q", [folder.modified_ns[at] for at in places]),
            )


def _places_by_suffix(
    folder: Folder, names: Sequence[str], ignored: Counter[str]
) -> dict[str, Sequence[int]]:
    """Where in the folder the media of each suffix stand; what is none is counted."""
    suffixes = list(map(_suffix, names))
    different = set(suffixes)
    if len(different) == 1 and different <= _ALL_SUFFIXES and folder.has_plain_names:
        return {suffixes[0]: range(len(names))}
    places: dict[str, list[int]] = {}
    for at, (name, suffix) in enumerate(zip(names, suffixes, strict=True)):
        reason = _reason_of_names((name,)) or ("" if suffix in _ALL_SUFFIXES else NOT_MEDIA)
        if reason:
            ignored[reason] += 1
        else:
            places.setdefault(suffix, []).append(at)
    return dict(places)


def _place_in(
    folder: tuple[str, ...], suffix: str, languages: frozenset[str], people_hold_videos: bool
) -> PlacedFile | None:
    """What a file with this suffix means in a folder."""
    # where there are no folders of voices and faces, the folders of people hold their videos themselves
    if people_hold_videos and len(folder) == 1:
        return place(["videos", *folder, suffix], languages, 0) if suffix in VIDEO_SUFFIXES else None
    return place([*folder, suffix], languages, 0)


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
        suffix = _suffix(parts[-1])
        kinds = [kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes]
        return (kinds[-1], list(parts)) if kinds else None  # a video is a face
    return None


def _training_languages(folders: Sequence[Folder]) -> frozenset[str]:
    return frozenset(
        folder.parts[2]
        for folder in folders
        if len(folder.parts) == 4 and modality_of_folder(folder.parts[0])
    )


def _reason_of_names(names: Iterable[str]) -> str:
    for name in names:
        if name.startswith("."):
            return HIDDEN
        if not name.isascii() and not _is_text(name):
            return ODD_NAME
    return ""


def _suffix(name: str) -> str:
    """The suffix in lower case, with its dot; of a name that is nothing else, the name."""
    _, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot else ""


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
