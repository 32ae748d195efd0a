"""From a data set's folders, lists and videos to source records."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from preprocessing.dataset_lists import DatasetLists, read_dataset_lists
from preprocessing.face_settings import FaceSettings
from preprocessing.folder_reading import refuse_link_outside
from preprocessing.identity_reconciliation import Reconciliation, person_folder, reconcile_identities
from preprocessing.layouts import (
    KNOWN_LANGUAGES,
    MODALITY_FOLDERS,
    PlacedFile,
    PlacedFolder,
    place,
    scan_layout,
)
from preprocessing.source_columns import SourceColumns
from preprocessing.video_records import PlacedSource, sources_of
from src.artifacts.sources import MODALITIES, Modality, SourceRows, Split
from src.core.garbage import no_garbage_collection

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class DatasetScan:
    """What a data set holds.

    records: one a raw file or frame of a video, in order; files that lists name but that are not there among them.
    missing: keys of those that are not there.
    ignored: number of files that are no source, by reason.
    absent: lists, and the kind of media that they name, of which the data set holds none at all.
    """

    records: SourceRows
    reconciliation: Reconciliation
    missing: list[str]
    ignored: Counter[str]
    absent: list[str]

    def of(self, modality: Modality) -> SourceRows:
        """The records of one modality, in order."""
        return self._by_modality[modality]

    @cached_property
    def _by_modality(self) -> dict[Modality, SourceRows]:
        return {modality: self.records.of(modality) for modality in MODALITIES}

    def lines(self) -> list[str]:
        """What was found, for people."""
        kinds = self.records.counts("split", "modality")
        languages = [language for (language,) in sorted(self.records.counts("language")) if language]
        ignored = ", ".join(f"{count} {reason}" for reason, count in self.ignored.most_common())
        lines = [
            f"found: {kinds['train', 'voice']} voices and {kinds['train', 'face']} faces for training, "
            f"{kinds['test', 'voice']} voices and {kinds['test', 'face']} faces for test"
            f"{' (' + ', '.join(languages) + ')' if languages else ''}{'; ignored: ' + ignored if ignored else ''}",
            self.reconciliation.line(),
        ]
        lines += [f"not in this data set: {what}" for what in self.absent]
        if self.missing:
            shown = ", ".join(self.missing[:_EXAMPLES])
            lines.append(f"lists name {len(self.missing)} files that are not there, for example {shown}")
        return lines

    def summary(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "sources": {modality: len(self.of(modality)) for modality in MODALITIES},
            "ignored": dict(self.ignored),
            "missing": {"count": len(self.missing), "examples": self.missing[:_EXAMPLES]},
            "absent": self.absent,
            "identities": self.reconciliation.summary(),
        }


def scan_dataset(
    dataset: Path,
    lists_folder: Path | None = None,
    settings: FaceSettings | None = None,
    *,
    follow_links: bool = False,
) -> DatasetScan:
    """Scan folders, lists and the headers of videos, and reconcile identities. Raises DatasetError or ListError.

    settings: say how many frames of a video are taken; None takes the defaults.
    follow_links: also links that lead out of the data set, which are an error otherwise.
    """
    with no_garbage_collection():
        return _scan(dataset, lists_folder, settings or FaceSettings(), follow_links)


def _scan(
    dataset: Path, lists_folder: Path | None, settings: FaceSettings, follow_links: bool
) -> DatasetScan:
    lists = read_dataset_lists(dataset, lists_folder)
    layout = scan_layout(dataset, lists.languages, follow_links=follow_links)
    found = _gathered(dataset, layout.folders, settings)
    places = found.columns.places
    people: dict[Modality, set[str]] = {
        modality: {place.person for place in places if place.modality == modality and place.person}
        for modality in MODALITIES
    }
    pairs = [pair for language in sorted(lists.training) for pair in lists.training[language]]
    reconciliation = reconcile_identities(pairs, people["voice"], people["face"])
    unlisted, absent = _files_only_in_lists(dataset, found, lists)
    if not follow_links:
        root = os.path.realpath(dataset)
        for file in unlisted:
            refuse_link_outside(dataset / file.key, root)
    for file in unlisted:
        found.columns.add_source(PlacedSource(file))
    return DatasetScan(
        records=found.columns.rows(reconciliation.names),
        reconciliation=reconciliation,
        missing=sorted(file.key for file in unlisted if not (dataset / file.key).is_file()),
        ignored=layout.ignored,
        absent=absent,
    )


@dataclass(frozen=True)
class _Found:
    """What lies in the data set.

    videos: keys of those of which frames were taken. kinds: modality, split and language of which there are files.
    folders: which folder of each modality is in use.
    """

    columns: SourceColumns
    videos: set[str]
    kinds: set[tuple[Modality, Split, str]]
    folders: Mapping[Modality, str]


def _gathered(dataset: Path, folders: Iterable[PlacedFolder], settings: FaceSettings) -> _Found:
    columns = SourceColumns()
    videos: set[str] = set()
    kinds: set[tuple[Modality, Split, str]] = set()
    in_use: dict[Modality, str] = {modality: names[0] for modality, names in MODALITY_FOLDERS.items()}
    for folder in folders:
        place = folder.place
        kinds.add((place.modality, place.split, place.language))
        top = folder.above.partition("/")[0]
        if place.split == "train" and not place.is_video and top in MODALITY_FOLDERS[place.modality]:
            in_use[place.modality] = top
        if place.modality != "face" or not place.is_video:
            columns.add_folder(folder)
            continue
        videos.update(folder.keys)
        for source in sources_of(
            dataset, folder.files(), settings.video_frames_per_second, settings.most_frames_per_video
        ):
            columns.add_source(source)
    return _Found(columns, videos, kinds, in_use)


def _files_only_in_lists(
    dataset: Path, found: _Found, lists: DatasetLists
) -> tuple[list[PlacedFile], list[str]]:
    """Files that lists name and the scan did not find; and lists whose media are no part of this data set.

    Somebody who has the training half alone, or voices alone, has all lists nevertheless; so a list counts
    only where the data set holds media of its kind.
    """
    listed = list(_listed(lists))
    if not listed:
        return [], []
    asked = {
        name
        for _, _, modality, paths in listed
        for path in paths
        for name in (path, f"{found.folders[modality]}/{path}")
    }
    there = found.columns.known(asked) | found.videos
    lost: dict[str, PlacedFile] = {}
    absent = []
    for split, language, modality, paths in listed:
        folder = found.folders[modality]
        missing = [path for path in paths if not {path, f"{folder}/{path}"} & there]
        if missing and not {(modality, split, language), (modality, split, "")} & found.kinds:
            absent.append(f"the {modality}s of {language}_{split}.txt")
            continue
        for path in missing:
            file = _file_of_list(dataset, path, folder, modality, split, language, lists.languages)
            lost[file.key] = file
    return list(lost.values()), absent


def _listed(lists: DatasetLists) -> Iterator[tuple[Split, str, Modality, list[str]]]:
    for language, pairs in lists.training.items():
        yield "train", language, "voice", sorted({pair.voice for pair in pairs})
        yield "train", language, "face", sorted({pair.face for pair in pairs})
    for language, trials in lists.trials.items():
        yield "test", language, "voice", sorted({trial.voice for trial in trials})
        yield "test", language, "face", sorted({trial.face for trial in trials})


def _file_of_list(
    dataset: Path,
    path: str,
    folder: str,
    modality: Modality,
    split: Split,
    language: str,
    languages: frozenset[str],
) -> PlacedFile:
    key = path if split == "test" or path.startswith(f"{folder}/") else f"{folder}/{path}"
    source = dataset / key
    status = source.stat() if source.is_file() else None
    size_bytes, modified_ns = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    placed = place(key.split("/"), KNOWN_LANGUAGES | languages, size_bytes, modified_ns)
    if placed is not None and (placed.modality, placed.split) == (modality, split):
        return placed
    return PlacedFile(
        key=key,
        modality=modality,
        person=person_folder(path) if split == "train" else "",
        language=language,
        video="",
        split=split,
        size_bytes=size_bytes,
        modified_ns=modified_ns,
    )
