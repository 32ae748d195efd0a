"""Lists that say which medium each row of a file of features is of."""

from dataclasses import dataclass
from pathlib import Path

from src.artifacts.sources import Modality
from src.artifacts.trials import read_training_pairs, read_trials
from src.core.errors import ListError

_MEDIA_FOLDERS: dict[Modality, str] = {"voice": "voices", "face": "faces"}


@dataclass(frozen=True)
class ListedMedium:
    """A key of a list, and the video that it comes from; empty where the list does not tell."""

    key: str
    video: str


def read_listed_media(path: Path, modality: Modality) -> list[ListedMedium]:
    """The media of one modality, in the order of the list and as often as it names them.

    The list is a `<Language>_train.txt` (two fields; its paths, relative to `voices/` and `faces/`, become keys), a
    `<Language>_test.txt` (three fields), or has one key a line. Raises ListError for lines that are none of these.
    """
    lines = _lines(path)
    fields = len(lines[0].split())
    if fields == 1:
        return [ListedMedium(_single_key(line, path), "") for line in lines]
    if fields == 3:
        trials = read_trials(path)
        return [ListedMedium(trial.voice if modality == "voice" else trial.face, "") for trial in trials]
    pairs = read_training_pairs(path)
    return [_training_medium(pair.voice if modality == "voice" else pair.face, modality) for pair in pairs]


def _training_medium(path: str, modality: Modality) -> ListedMedium:
    """A path such as `id0001/English/VIDEO/00000.wav`."""
    folder = f"{_MEDIA_FOLDERS[modality]}/"
    parts = path.removeprefix(folder).split("/")
    return ListedMedium(folder + path.removeprefix(folder), parts[2] if len(parts) == 4 else "")


def _single_key(line: str, path: Path) -> str:
    if len(line.split()) != 1:
        raise ListError(
            f"{path}: the first line is one key, but another is {line[:80]!r}; keys have no white space"
        )
    return line


def _lines(path: Path) -> list[str]:
    """The lines that are not empty; at least one."""
    if not path.is_file():
        raise ListError(f"{path}: no such list of keys")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: not a text file in UTF-8") from error
    lines = [line for line in lines if line]
    if not lines:
        raise ListError(f"{path}: holds no key")
    return lines
