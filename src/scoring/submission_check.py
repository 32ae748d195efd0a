"""Check a submission as the challenge's scorer would, and its polarity where there is a model to tell."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from src.artifacts.scores import parse_scores
from src.artifacts.trials import Trial, read_trials
from src.core.errors import ConfigError, SubmissionError
from src.scoring.cells import Cell, cells_of, languages_of_file_names
from src.scoring.challenges import SAME_SEX_TRIALS, Challenge, file_prefix
from src.scoring.language_lists import read_cell_lists
from src.scoring.polarity_check import model_polarity, submission_polarity
from src.scoring.submission import expected_ids, read_submission_files, submission_problems
from src.scoring.trial_scoring import TrialScorer


@dataclass(frozen=True)
class SubmissionCheck:
    """problems: everything that the scorer would reject, or that makes the scores worthless. notes: what was seen."""

    problems: list[str]
    notes: list[str] = field(default_factory=list)


def check_submission(
    path: Path,
    trials: Sequence[Path],
    challenge: Challenge | None,
    scorers: Mapping[str, TrialScorer] | None = None,
) -> SubmissionCheck:
    """Compare a zip with the test lists.

    trials: the data set or the folder of its lists, or the lists themselves (`<Language>_test.txt`).
    scorers: training language → model, for the polarity. Either file naming is accepted, where all files follow it.
    Raises ConfigError, DatasetError and ListError where the lists or models cannot be used.
    """
    try:
        files = read_submission_files(path)
    except SubmissionError as error:
        return SubmissionCheck([str(error)])
    languages = _languages(files, challenge, trials)
    cells = cells_of(languages, challenge.tracks if challenge else ("",))
    lists = _read_lists(trials, cells)
    prefix = _prefix(files, cells, challenge)
    problems = submission_problems(files, expected_ids(lists, prefix))
    if problems or not scorers:
        notes = (
            []
            if problems
            else ["polarity not checked: give the models, --checkpoint LANGUAGE=DIR --features DIR"]
        )
        return SubmissionCheck(problems, notes)
    return _check_polarity(files, lists, prefix, scorers)


def _check_polarity(
    files: Mapping[str, bytes],
    lists: Mapping[Cell, Sequence[Trial]],
    prefix: str,
    scorers: Mapping[str, TrialScorer],
) -> SubmissionCheck:
    unknown = sorted(scorers.keys() - {cell.training_language for cell in lists})
    if unknown:
        raise ConfigError(f"--checkpoint names {', '.join(unknown)}, in which the submission has no model")
    models = {language: model_polarity(scorer, language) for language, scorer in scorers.items()}
    found = SubmissionCheck(
        [text for one in models.values() for text in one.problems],
        [text for one in models.values() for text in one.notes],
    )
    for cell, trials in lists.items():
        name = cell.file_name(prefix)
        if cell.training_language not in scorers:
            found.notes.append(f"{name}: polarity not checked: no model trained on {cell.training_language}")
        elif not models[cell.training_language].problems:
            scores = parse_scores(files[name].decode("utf-8"), name)
            polarity = submission_polarity(name, scores, trials, scorers[cell.training_language])
            found.problems.extend(polarity.problems)
            found.notes.extend(polarity.notes)
    return found


def _languages(files: Mapping[str, bytes], challenge: Challenge | None, trials: Sequence[Path]) -> list[str]:
    """The two languages: of the files' names, or the challenge's pair that lists are there for."""
    named = languages_of_file_names(files)
    if challenge is None:
        if len(named) != 2:
            raise ConfigError(
                "the names of the submission's files do not tell its two languages "
                f"({', '.join(sorted(files)[:8]) or 'it is empty'}); name the challenge: --challenge"
            )
        return named
    pairs = list(challenge.versions)
    listed = {path.stem.removesuffix("_test") for place in trials for path in _list_files(place)}
    fitting = [pair for pair in pairs if pair == frozenset(named)] or [
        pair for pair in pairs if pair <= listed
    ]
    return sorted((fitting or pairs)[0])


def _list_files(place: Path) -> list[Path]:
    return [*place.glob("*_test.txt"), *place.glob("*/*_test.txt")] if place.is_dir() else [place]


def _read_lists(trials: Sequence[Path], cells: Sequence[Cell]) -> dict[Cell, list[Trial]]:
    if len(trials) == 1 and not trials[0].is_file():
        return read_cell_lists(trials[0], cells)
    paths = {(path.name, path.parent.name == SAME_SEX_TRIALS): path for path in trials}
    found = {}
    for cell in cells:
        wanted = (f"{cell.test_language}_test.txt", cell.track == SAME_SEX_TRIALS)
        if wanted not in paths:
            raise ConfigError(
                f"--trials names no {f'{cell.track}/' if wanted[1] else ''}{wanted[0]}; give every list, or their folder"
            )
        found[cell] = read_trials(paths[wanted])
    return found


def _prefix(files: Mapping[str, bytes], cells: Sequence[Cell], challenge: Challenge | None) -> str:
    """The naming that most files follow; the challenge's own where none is ahead."""
    languages = {cell.test_language for cell in cells}
    own = file_prefix(languages, challenge)
    others = [file_prefix(languages, challenge, "plain")]
    with suppress(SubmissionError):  # languages of no published data set: there is no version to name
        others.append(file_prefix(languages, challenge, "versioned"))
    return max([own, *others], key=lambda prefix: sum(cell.file_name(prefix) in files for cell in cells))
