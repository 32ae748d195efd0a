"""From a data set's folders, lists and videos to source records."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from preprocessing.dataset_lists import DatasetLists, read_dataset_lists
from preprocessing.face_settings import FaceSettings
from preprocessing.identity_reconciliation import Reconciliation, person_folder, reconcile_identities
from preprocessing.layouts import (
    KNOWN_LANGUAGES,
    MODALITY_FOLDERS,
    PlacedFile,
    place,
    refuse_link_outside,
    scan_layout,
)
from preprocessing.video_records import PlacedSource, sources_of
from src.artifacts.sources import MODALITIES, Modality, SourceRecord, Split, frame_key
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

    records: list[SourceRecord]
    reconciliation: Reconciliation
    missing: list[str]
    ignored: Counter[str]
    absent: list[str]

    def of(self, modality: Modality) -> list[SourceRecord]:
        """The records of one modality, in order."""
        return self._by_modality[modality]

    @cached_property
    def _by_modality(self) -> dict[Modality, list[SourceRecord]]:
        return {
            modality: [record for record in self.records if record.modality == modality]
            for modality in MODALITIES
        }

    def lines(self) -> list[str]:
        """What was found, for people."""
        kinds = Counter(map(attrgetter("split", "modality"), self.records))
        languages = sorted(set(map(attrgetter("language"), self.records)) - {""})
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
    sources = list(
        sources_of(dataset, layout.files, settings.video_frames_per_second, settings.most_frames_per_video)
    )
    placed = {(source.file.modality, source.file.person) for source in sources}
    people: dict[Modality, set[str]] = {
        modality: {person for kind, person in placed if kind == modality and person}
        for modality in MODALITIES
    }
    pairs = [pair for language in sorted(lists.training) for pair in lists.training[language]]
    reconciliation = reconcile_identities(pairs, people["voice"], people["face"])
    unlisted, absent = _files_only_in_lists(dataset, layout.files, lists)
    if not follow_links:
        root = os.path.realpath(dataset)
        for file in unlisted:
            refuse_link_outside(dataset / file.key, root)
    records = [_record(source, reconciliation) for source in chain(sources, map(PlacedSource, unlisted))]
    # the key of a whole file is its place in the order, and quicker to compare
    whole_files = all(source.time_seconds is None for source in sources)
    records.sort(key=attrgetter("key" if whole_files else "order"))
    return DatasetScan(
        records=records,
        reconciliation=reconciliation,
        missing=sorted(file.key for file in unlisted if not (dataset / file.key).is_file()),
        ignored=layout.ignored,
        absent=absent,
    )


def group_for_stage(records: Sequence[SourceRecord]) -> Iterator[list[SourceRecord]]:
    """Records that a worker must see together: those of one person, language and video; a test file alone.

    records: in order, as a scan gives them; so are those of a group. Frames of a video stand together, by time.
    """
    groups: defaultdict[tuple[str, ...], list[SourceRecord]] = defaultdict(list)
    for record in records:
        if record.split == "test":
            groups["test", record.language, record.file_key].append(record)
        else:
            groups["train", record.identity, record.language, record.video].append(record)
    for name in sorted(groups):
        yield groups.pop(name)


def _record(source: PlacedSource, reconciliation: Reconciliation) -> SourceRecord:
    file, time_seconds = source.file, source.time_seconds
    return SourceRecord(
        key=file.key if time_seconds is None else frame_key(file.key, time_seconds),
        modality=file.modality,
        identity=reconciliation.names[file.modality][file.person] if file.person else "",
        language=file.language,
        video=file.video,
        split=file.split,
        size_bytes=file.size_bytes,
        time_seconds=time_seconds,
        modified_ns=file.modified_ns,
    )


def _files_only_in_lists(
    dataset: Path, files: Sequence[PlacedFile], lists: DatasetLists
) -> tuple[list[PlacedFile], list[str]]:
    """Files that lists name and the scan did not find; and lists whose media are no part of this data set.

    Somebody who has the training half alone, or voices alone, has all lists nevertheless; so a list counts
    only where the data set holds media of its kind.
    """
    if not lists.languages:
        return [], []
    keys = {file.key for file in files}
    kinds = {(file.modality, file.split, file.language) for file in files}
    folders = _folders_in_use(files)
    found: dict[str, PlacedFile] = {}
    absent = []
    for split, language, modality, paths in _listed(lists):
        lost = [path for path in paths if path not in keys and f"{folders[modality]}/{path}" not in keys]
        if lost and not {(modality, split, language), (modality, split, "")} & kinds:
            absent.append(f"the {modality}s of {language}_{split}.txt")
            continue
        for path in lost:
            file = _file_of_list(dataset, path, folders[modality], modality, split, language, lists.languages)
            found[file.key] = file
    return list(found.values()), absent


def _folders_in_use(files: Sequence[PlacedFile]) -> Mapping[Modality, str]:
    folders: dict[Modality, str] = {modality: names[0] for modality, names in MODALITY_FOLDERS.items()}
    for file in files:
        top = file.key.partition("/")[0]
        if file.split == "train" and not file.is_video and top in MODALITY_FOLDERS[file.modality]:
            folders[file.modality] = top
    return folders


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
