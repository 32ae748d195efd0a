"""Make verification, matching and retrieval lists of any data set: seeded, balanced, of people who were not trained on.

People are put in random order in a circle, within each stratum; the n-th other candidate of a person is the n-th neighbour.
So in every round each person is asked about once, and stands as often as everybody else among the others, and no two
candidates of a question are one person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.artifacts.people import People, Property
from src.artifacts.sources import Modality
from src.artifacts.trials import Trial
from src.artifacts.voxceleb_lists import KnownMedium, KnownTrial, Question
from src.core.errors import ListError
from src.core.seeding import random_stream

OTHER: dict[Modality, Modality] = {"voice": "face", "face": "voice"}


@dataclass(frozen=True)
class Stratum:
    """People who are alike in a property, so that the property itself answers nothing.

    name: how the published lists call it: `random`, G, N, A, or the columns. groups: people, by value.
    """

    name: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ListMaker:
    """Makes lists over people with both a voice and a face.

    media: modality → person → keys, sorted. seed: the same lists for the same seed and media.
    """

    media: Mapping[Modality, Mapping[str, Sequence[str]]]
    seed: int

    @property
    def people(self) -> list[str]:
        """Everybody with a voice and a face, sorted."""
        return sorted(self.media["voice"].keys() & self.media["face"].keys())

    def verification(self, stratum: Stratum, trials: int) -> list[KnownTrial]:
        """As many trials of one person as of two, one after the other; everybody is in as many, to within one round."""
        made: list[KnownTrial] = []
        stream = random_stream("verification list", self.seed, stratum.name)
        for circle, place in self._rounds(stratum, stream, trials // 2, 2):
            person, other = circle[place], circle[(place + 1) % len(circle)]
            voice = self._medium("voice", person, stream)
            for sitter in (person, other):
                trial = Trial(str(len(made) + 1), voice, self._medium("face", sitter, stream))
                made.append(KnownTrial(trial, person, sitter))
        return made

    def matching(self, stratum: Stratum, probe: Modality, questions: int, candidates: int) -> list[Question]:
        """Questions with `candidates` people each, the true one first."""
        made = []
        stream = random_stream("matching list", self.seed, stratum.name, probe)
        for circle, place in self._rounds(stratum, stream, questions, candidates):
            people = [circle[(place + step) % len(circle)] for step in range(candidates)]
            media = tuple(self._medium(OTHER[probe], person, stream) for person in people)
            made.append(Question(self._medium(probe, people[0], stream), media))
        return made

    def retrieval(self, modality: Modality, most: int) -> list[KnownMedium]:
        """Up to `most` media, of everybody as many, to within one; by person."""
        stream = random_stream("retrieval list", self.seed, modality)
        orders = {person: list(stream.permutation(self.media[modality][person])) for person in self.people}
        longest = max(map(len, orders.values()), default=0)
        rounds = [
            KnownMedium(person, str(keys[turn]))
            for turn in range(longest)
            for person, keys in orders.items()
            if turn < len(keys)
        ]
        return sorted(rounds[:most], key=lambda medium: (medium.identity, medium.key))

    def _rounds(
        self, stratum: Stratum, stream: np.random.Generator, wanted: int, least: int
    ) -> list[tuple[list[str], int]]:
        """Circles of people and a place in each, `wanted` of them; groups of fewer than `least` people ask nothing."""
        groups = [group for group in stratum.groups if len(group) >= least]
        if not groups:
            largest = max((len(group) for group in stratum.groups), default=0)
            raise ListError(
                f"stratum {stratum.name}: no group has {least} people (the largest has {largest}); fewer candidates, or a "
                "coarser property, such as age:10"
            )
        made: list[tuple[list[str], int]] = []
        while len(made) < wanted:
            circles = [[group[row] for row in stream.permutation(len(group))] for group in groups]
            turns = [(circle, place) for circle in circles for place in range(len(circle))]
            made += [turns[row] for row in stream.permutation(len(turns))]
        return made[:wanted]

    def _medium(self, modality: Modality, person: str, stream: np.random.Generator) -> str:
        keys = self.media[modality][person]
        return keys[int(stream.integers(len(keys)))]


def stratum_of(people: Sequence[str], wanted: Property | None, known: People | None) -> Stratum:
    """Everybody in one group, or groups that are alike in a property. Raises ListError for people of whom nothing is known."""
    if wanted is None or known is None:
        return Stratum("random", (tuple(people),))
    groups: dict[str, list[str]] = {}
    for person, value in zip(people, known.values(wanted, people), strict=True):
        if value is not None:
            groups.setdefault(value, []).append(person)
    return Stratum(_published_name(wanted), tuple(tuple(group) for _, group in sorted(groups.items())))


def _published_name(wanted: Property) -> str:
    """G, N, A or GNA where the columns are those of the published lists, else the columns' names."""
    letters = {"gender": "G", "sex": "G", "nationality": "N", "age": "A"}
    names = [name for name, _ in wanted.columns]
    if all(name.lower() in letters for name in names):
        return "".join(sorted((letters[name.lower()] for name in names), key="GNA".index))
    return "-".join(names)
