"""Find the test list of each language in a data set as it is published."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from src.artifacts.trials import Trial, read_trials
from src.core.errors import DatasetError
from src.scoring.cells import Cell
from src.scoring.challenges import EVERYBODY, SAME_SEX_TRIALS


def find_test_lists(folder: Path, languages: Iterable[str], track: str = "") -> dict[str, Path]:
    """Paths of `<Language>_test.txt` in `folder`, or in a folder directly below it.

    track: a folder of the challenge's zip, whose lists lie in a folder of that name; where there is none, the lists
    of everybody are those without one.
    Raises DatasetError when the folder is missing, or a list is missing or there more than once.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    return {language: _find(folder, f"{language}_test.txt", track) for language in languages}


def read_test_lists(folder: Path, languages: Iterable[str], track: str = "") -> dict[str, list[Trial]]:
    """The trials of each language; see `find_test_lists`."""
    found = find_test_lists(folder, languages, track)
    return {language: read_trials(path) for language, path in found.items()}


def read_cell_lists(folder: Path, cells: Sequence[Cell]) -> dict[Cell, list[Trial]]:
    """The trials of each cell; see `find_test_lists`."""
    lists = {
        track: read_test_lists(
            folder, dict.fromkeys(cell.test_language for cell in cells if cell.track == track), track
        )
        for track in dict.fromkeys(cell.track for cell in cells)
    }
    return {cell: lists[cell.track][cell.test_language] for cell in cells}


def _find(folder: Path, name: str, track: str) -> Path:
    candidates = _candidates(folder, name, track)
    if not candidates:
        where = f"{track}/{name}" if track else name
        hint = (
            f" The list of the same-sex trials is looked for in a folder {SAME_SEX_TRIALS}/."
            if track == SAME_SEX_TRIALS
            else ""
        )
        raise DatasetError(
            f"{folder}: no test list {where} there or in a folder directly below.{hint} Name the folder of the lists: --lists"
        )
    if len(candidates) > 1:
        raise DatasetError(
            f"{folder}: {name} is there more than once ({', '.join(str(path) for path in candidates)}). "
            "Name the folder of the right lists: --lists"
        )
    return candidates[0]


def _candidates(folder: Path, name: str, track: str) -> list[Path]:
    if track:
        direct = [folder / track / name] if folder.name != track else [folder / name]
        found = [path for path in direct if path.is_file()] or sorted(folder.glob(f"*/{track}/{name}"))
        if found or track != EVERYBODY:
            return found
    if (folder / name).is_file():
        return [folder / name]
    return [
        path for path in sorted(folder.glob(f"*/{name}")) if not track or path.parent.name != SAME_SEX_TRIALS
    ]
