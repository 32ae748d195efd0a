"""Matching 1:N over published or generated lists, voice to face or face to voice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.artifacts.people import People, Property
from src.artifacts.sources import Modality
from src.artifacts.voxceleb_lists import Question
from src.core.errors import ConfigError
from src.core.polarity import score_from_similarity
from src.metrics.bootstrap import IdentityDraws, Interval, bootstrap_mean, percentile_interval
from src.metrics.matching import matching_by_gallery_size
from src.scoring.evaluation_table import aligned, percent, percent_range
from src.scoring.known_media import modality_of, places_of
from src.scoring.list_making import OTHER
from src.scoring.trial_keys import resolve_key
from src.scoring.trial_scoring import TrialScorer

DIRECTIONS: dict[Modality, str] = {"voice": "V2F", "face": "F2V"}
Identities = Mapping[Modality, Mapping[str, str]]


@dataclass(frozen=True)
class MatchedList:
    """Scores of the questions of a list, float64 (questions, candidates), lower = same person, the true one first."""

    probe: Modality
    questions: Sequence[Question]
    scores: np.ndarray


@dataclass(frozen=True)
class MatchingResult:
    """Accuracy for one number of candidates; by chance 1 / candidates."""

    stratum: str
    candidates: int
    questions: int
    accuracy: float
    interval: Interval | None


def match(scorer: TrialScorer, questions: Sequence[Question], source: str) -> MatchedList:
    """Score every candidate with its probe; each medium is encoded once. Errors: see `places_of`."""
    probe = modality_of(scorer.stores, questions[0].probe, source)
    width = len(questions[0].candidates)
    probes = places_of(scorer.stores, probe, [one.probe for one in questions], source)
    others = [path for one in questions for path in one.candidates]
    candidates = places_of(scorer.stores, OTHER[probe], others, source)
    pairs = np.repeat(probes, width), candidates
    voices, faces = pairs if probe == "voice" else pairs[::-1]
    scores = score_from_similarity(scorer.similarities(voices, faces))
    return MatchedList(probe, questions, scores.reshape(-1, width))


def matching_results(
    matched: MatchedList,
    identities: Identities,
    wanted: Sequence[Property],
    people: People | None,
    replicates: int,
) -> list[MatchingResult]:
    """Accuracy for N = 2 … 10 of the whole list, and of the questions whose people all agree in each property.

    identities: modality → key → identity; intervals are given where every probe's is known.
    """
    owners = [_identity(matched.probe, one.probe, identities) for one in matched.questions]
    results = _measured("all", matched.scores, owners, replicates)
    for one in wanted:
        for name, rows in _strata(matched, one, people, identities):
            chosen = [owners[row] for row in rows]
            results += _measured(f"{one}: {name}", matched.scores[rows], chosen, replicates)
    return results


def matching_table(results: Sequence[MatchingResult]) -> str:
    """A table for the terminal."""
    lines = [["questions", "number", "N", "accuracy", "95 % interval", "chance"]]
    for one in results:
        chance = percent(1 / one.candidates)
        numbers = [str(one.questions), str(one.candidates), percent(one.accuracy)]
        lines.append([one.stratum, *numbers, percent_range(one.interval), chance])
    return aligned(lines)


def _measured(
    name: str, scores: np.ndarray, owners: Sequence[str | None], replicates: int
) -> list[MatchingResult]:
    known = [owner for owner in owners if owner is not None]
    draws = (
        IdentityDraws.of(known, replicates=replicates) if replicates and len(known) == len(owners) else None
    )
    return [
        MatchingResult(
            name,
            size,
            len(scores),
            found.mean,
            None if draws is None else percentile_interval(bootstrap_mean(draws, found.correct, known)),
        )
        for size, found in matching_by_gallery_size(scores).items()
    ]


def _strata(
    matched: MatchedList, wanted: Property, people: People | None, identities: Identities
) -> list[tuple[str, list[int]]]:
    """Value → questions in which everybody has it; first all that agree, whatever the value."""
    if people is None:
        raise ConfigError(f"strata by {wanted} need to know about people: --metadata CSV")
    other = OTHER[matched.probe]
    rows: dict[str, list[int]] = {}
    for row, question in enumerate(matched.questions):
        names = [_identity(other, path, identities) for path in question.candidates]
        if None in names:
            path = question.candidates[names.index(None)]
            raise ConfigError(f"strata by {wanted}: nothing says who is in {path}; --identities CSV")
        values = set(people.values(wanted, [str(name) for name in names]))
        if len(values) == 1 and None not in values:
            rows.setdefault(str(values.pop()), []).append(row)
    agreeing = sorted(row for group in rows.values() for row in group)
    return [("all that agree", agreeing), *sorted(rows.items())] if agreeing else []


def _identity(modality: Modality, path: str, identities: Identities) -> str | None:
    known = identities[modality]
    return known.get(resolve_key(path, modality, known))
