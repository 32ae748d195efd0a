"""Find the test list of each language in a data set as it is published."""

from collections.abc import Iterable
from pathlib import Path

from src.artifacts.trials import Trial, read_trials
from src.core.errors import DatasetError


def find_test_lists(folder: Path, languages: Iterable[str]) -> dict[str, Path]:
    """Paths of `<Language>_test.txt` in `folder`, or in a folder directly below it.

    Raises DatasetError when the folder is missing, or a list is missing or there more than once.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for language in languages:
        name = f"{language}_test.txt"
        candidates = [folder / name] if (folder / name).is_file() else sorted(folder.glob(f"*/{name}"))
        if not candidates:
            raise DatasetError(
                f"{folder}: no test list {name} there or in a folder directly below. Name the folder of the lists: --lists"
            )
        if len(candidates) > 1:
            raise DatasetError(
                f"{folder}: {name} is there more than once ({', '.join(str(path) for path in candidates)}). "
                "Name the folder of the right lists: --lists"
            )
        found[language] = candidates[0]
    return found


def read_test_lists(folder: Path, languages: Iterable[str]) -> dict[str, list[Trial]]:
    """The trials of each language; see `find_test_lists`."""
    return {language: read_trials(path) for language, path in find_test_lists(folder, languages).items()}
