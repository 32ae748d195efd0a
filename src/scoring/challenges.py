"""The challenges: which languages they pair, what their files are called, and which folders lie in the zip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from src.core.errors import SubmissionError

FileNames = Literal["plain", "versioned"]
EVERYBODY, SAME_SEX_TRIALS = "no_gender", "gender"


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """One challenge.

    versions: the data set's version (v1 …) of each pair of languages. tracks: folders in the zip, each with the four
    files; ("",) for files without a folder. file_names: which names it takes by default; both are accepted.
    """

    name: str
    versions: Mapping[frozenset[str], str]
    tracks: tuple[str, ...] = ("",)
    file_names: FileNames = "plain"

    def require_languages(self, languages: Iterable[str]) -> None:
        """Raise SubmissionError unless these are the two languages of one of its data sets."""
        if frozenset(languages) not in self.versions:
            pairs = " or ".join(_pair_text(pair) for pair in self.versions)
            raise SubmissionError(
                f"{self.name} is scored on {pairs}, with one model trained on each; given: {', '.join(languages) or 'none'}"
            )


CHALLENGES = {
    challenge.name: challenge
    for challenge in (
        Challenge(
            name="fame2024",
            versions={frozenset({"English", "Urdu"}): "v1", frozenset({"English", "Hindi"}): "v2"},
        ),
        Challenge(name="fame2026", versions={frozenset({"English", "German"}): "v3"}),
        Challenge(
            name="flag2027",
            versions={frozenset({"English", "Bangla"}): "v4"},
            tracks=(EVERYBODY, SAME_SEX_TRIALS),
            file_names="versioned",
        ),
    )
}
_PREFIX = "sub_score"


def file_prefix(
    languages: Iterable[str], challenge: Challenge | None = None, file_names: FileNames | None = None
) -> str:
    """How the files' names begin: `sub_score`, or `sub_score_v3` with the version of the languages' data set.

    file_names: the challenge's own if None. Raises SubmissionError where no data set pairs the languages.
    """
    chosen = file_names or (challenge.file_names if challenge else "plain")
    if chosen == "plain":
        return _PREFIX
    versions = {
        pair: version
        for one in ([challenge] if challenge else CHALLENGES.values())
        for pair, version in one.versions.items()
    }
    pair = frozenset(languages)
    if pair not in versions:
        raise SubmissionError(
            f"no version of MAV-Celeb pairs {_pair_text(pair)}, so that the files' names can have none; "
            "use --file-names plain"
        )
    return f"{_PREFIX}_{versions[pair]}"


def _pair_text(pair: Iterable[str]) -> str:
    return " and ".join(sorted(pair, key=lambda language: (language != "English", language)))
