"""The cells of a challenge: a model trained on one language is scored on it and on the other."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from src.core.errors import SubmissionError

DEFAULT_PREFIX = "sub_score"
_FILE_NAME = re.compile(
    r"(?:(?P<track>[^/]+)/)?(?P<prefix>[^/]+)_(?P<language>[^_/]+)_(?P<condition>heard|unheard)\.txt"
)


@dataclass(frozen=True, order=True)
class Cell:
    """A model trained on one language, scored on the test list of a language.

    track: the folder in the zip that its file lies in; empty for none.
    """

    training_language: str
    test_language: str
    track: str = ""

    @property
    def condition(self) -> str:
        """`heard` where the model was trained on the language of the test, else `unheard`."""
        return "heard" if self.training_language == self.test_language else "unheard"

    def file_name(self, prefix: str = DEFAULT_PREFIX) -> str:
        """Name of the cell's file in a submission, which bears the language of the test list."""
        folder = f"{self.track}/" if self.track else ""
        return f"{folder}{prefix}_{self.test_language}_{self.condition}.txt"


def cells_of(languages: Iterable[str], tracks: Sequence[str] = ("",)) -> list[Cell]:
    """The four cells of two languages, a training language after the other, heard before unheard; of each track.

    Raises SubmissionError unless there are two different languages: with more, the name of a file would
    not tell which model it comes from.
    """
    names = list(dict.fromkeys(languages))
    if len(names) != 2:
        raise SubmissionError(
            f"a challenge has two languages, with one model trained on each; given: {', '.join(names) or 'none'}"
        )
    first, second = names
    pairs = ((first, first), (first, second), (second, second), (second, first))
    return [Cell(*pair, track) for track in tracks for pair in pairs]


def cells_of_file_names(names: Iterable[str]) -> dict[Cell, str]:
    """Tell from the names of a submission's files which cell each belongs to, whatever their prefix.

    Raises SubmissionError when they are not the four files of two languages, in each folder that there is.
    """
    parsed = {name: _FILE_NAME.fullmatch(name) for name in sorted(names)}
    foreign = [name for name, match in parsed.items() if match is None]
    matches = {name: match for name, match in parsed.items() if match is not None}
    languages = sorted({match["language"] for match in matches.values()})
    prefixes = {match["prefix"] for match in matches.values()}
    tracks = sorted({match["track"] or "" for match in matches.values()}, reverse=True)
    if foreign or len(matches) != 4 * len(tracks) or len(languages) != 2 or len(prefixes) != 1:
        raise SubmissionError(
            "a submission has four files, PREFIX_<Language>_heard.txt and PREFIX_<Language>_unheard.txt of two "
            f"languages with one prefix, in each of its folders; found: {', '.join(parsed) or 'none'}"
        )
    (prefix,) = prefixes
    return {cell: cell.file_name(prefix) for cell in cells_of(languages, tracks)}


def languages_of_file_names(names: Iterable[str]) -> list[str]:
    """Languages that names of a submission's files bear, sorted; other names tell nothing."""
    matches = [_FILE_NAME.fullmatch(name) for name in names]
    return sorted({match["language"] for match in matches if match})
