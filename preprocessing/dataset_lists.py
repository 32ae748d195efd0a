"""The lists that come with a data set: `<Language>_train.txt` and `<Language>_test.txt`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from preprocessing.layouts import modality_of_folder
from src.artifacts.trials import TrainingPair, Trial, read_training_pairs, read_trials
from src.core.errors import ListError
from src.core.files import leads_outside

_LIST_NAME = re.compile(r"(?P<language>[^\W\d_]+(?:-[^\W\d_]+)*)_(?P<kind>train|test)\.txt")


@dataclass(frozen=True, kw_only=True)
class DatasetLists:
    """Lists by language; empty where there are none."""

    training: dict[str, list[TrainingPair]] = field(default_factory=dict)
    trials: dict[str, list[Trial]] = field(default_factory=dict)

    @property
    def languages(self) -> frozenset[str]:
        """Languages that a list is there for."""
        return frozenset(self.training) | frozenset(self.trials)


def read_dataset_lists(dataset: Path, folder: Path | None = None) -> DatasetLists:
    """Read the lists in `folder` or, when none is named, in the data set or a folder directly below it.

    Raises ListError when the named folder is missing or holds no list, when one list is there twice with
    different content, or when a list is malformed or names files outside the data set.
    """
    if folder and not folder.is_dir():
        raise ListError(f"{folder}: no such folder of lists")
    paths = _find_lists([folder] if folder else [dataset, *_folders_below(dataset)])
    if folder and not paths:
        raise ListError(
            f"{folder}: holds no <Language>_train.txt or <Language>_test.txt (for example English_train.txt)"
        )
    lists = DatasetLists()
    for (language, kind), path in sorted(paths.items()):
        if kind == "train":
            pairs = read_training_pairs(path)
            _refuse_outside(path, (name for pair in pairs for name in (pair.voice, pair.face)))
            lists.training[language] = pairs
        else:
            trials = read_trials(path)
            _refuse_outside(path, (name for trial in trials for name in (trial.voice, trial.face)))
            lists.trials[language] = trials
    return lists


def _folders_below(dataset: Path) -> list[Path]:
    if not dataset.is_dir():
        return []
    return sorted(path for path in dataset.iterdir() if path.is_dir() and not modality_of_folder(path.name))


def _find_lists(folders: Iterable[Path]) -> dict[tuple[str, str], Path]:
    found: dict[tuple[str, str], Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.txt")):
            name = _LIST_NAME.fullmatch(path.name)
            if name is None or not path.is_file():
                continue
            language, kind = name["language"], name["kind"]
            first = found.setdefault((language, kind), path)
            if first != path and first.read_bytes() != path.read_bytes():
                raise ListError(
                    f"{first} and {path} are lists of one name with different content. Name the folder that counts: --lists DIR"
                )
    return found


def _refuse_outside(path: Path, names: Iterable[str]) -> None:
    outside = [name for name in names if leads_outside(name) or "\\" in name]
    if outside:
        raise ListError(
            f"{path}: {len(outside)} paths lead outside the data set or are not written with forward slashes: "
            f"{', '.join(outside[:5])}"
        )
