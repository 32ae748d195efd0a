"""Retrieval over lists of voices and faces, both ways, in blocks of similarities."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from src.artifacts.people import People, Property
from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.voxceleb_lists import KnownMedium
from src.core.errors import ConfigError
from src.core.polarity import score_from_similarity
from src.core.progress import progress_bar
from src.metrics.bootstrap import IdentityDraws, Interval, bootstrap_mean, percentile_interval
from src.metrics.retrieval import RECALL_RANKS, Retrieval, retrieval
from src.models.pair_scoring import similarity_blocks
from src.scoring.evaluation_table import aligned, percent, percent_range
from src.scoring.known_media import places_of
from src.scoring.list_making import OTHER
from src.scoring.matching_protocol import DIRECTIONS
from src.scoring.trial_scoring import TrialScorer

Lists = dict[Modality, Sequence[KnownMedium]]


@dataclass(frozen=True)
class RetrievalResult:
    """One direction. recall: rank k → R@k. Intervals are over the probes' people."""

    stratum: str
    direction: str
    probes: int
    gallery: int
    mean_average_precision: float
    interval: Interval | None
    recall: dict[int, float]
    recall_intervals: dict[int, Interval | None]

    def mapping(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return asdict(self)


def retrieve(
    scorer: TrialScorer, lists: Lists, wanted: Sequence[Property], people: People | None, replicates: int
) -> list[RetrievalResult]:
    """Both directions over whole lists, and among people who are alike in each property.

    Raises ListError for a probe whose person is not in the gallery; other errors: see `places_of`.
    """
    results = _both_ways(scorer, lists, "all", replicates)
    for one in wanted:
        if people is None:
            raise ConfigError(f"strata by {one} need to know about people: --metadata CSV")
        for value, within in _strata(lists, one, people):
            results += _both_ways(scorer, within, f"{one}: {value}", replicates)
    return results


def retrieval_table(results: Sequence[RetrievalResult]) -> str:
    """A table for the terminal."""
    lines = [
        [
            "",
            "direction",
            "probes",
            "gallery",
            "mAP",
            "95 % interval",
            *(f"R@{rank}" for rank in RECALL_RANKS),
        ]
    ]
    for one in results:
        counts = [one.direction, str(one.probes), str(one.gallery)]
        recall = [percent(one.recall[rank]) for rank in RECALL_RANKS]
        precision = [percent(one.mean_average_precision), percent_range(one.interval)]
        lines.append([one.stratum, *counts, *precision, *recall])
    return aligned(lines)


def _both_ways(scorer: TrialScorer, lists: Lists, name: str, replicates: int) -> list[RetrievalResult]:
    runs = {
        modality: scorer.runs(
            modality,
            places_of(scorer.stores, modality, [one.key for one in lists[modality]], f"list of {modality}s"),
        )
        for modality in MODALITIES
    }
    results = []
    for probe in MODALITIES:
        blocks = similarity_blocks(scorer.model, runs["voice"], runs["face"], probe)
        owners = {modality: [one.identity for one in lists[modality]] for modality in MODALITIES}
        found = retrieval(
            _scores(blocks, len(owners[probe]), DIRECTIONS[probe]), owners[probe], owners[OTHER[probe]]
        )
        results.append(_result(name, probe, found, owners, replicates))
    return results


def _scores(blocks: Iterator[np.ndarray], probes: int, description: str) -> Iterator[np.ndarray]:
    with progress_bar(total=probes, description=description, unit="probe") as bar:
        for block in blocks:
            yield score_from_similarity(block)
            bar.update(len(block))


def _result(
    name: str, probe: Modality, found: Retrieval, owners: dict[Modality, list[str]], replicates: int
) -> RetrievalResult:
    draws = IdentityDraws.of(owners[probe], replicates=replicates) if replicates else None

    def interval(values: np.ndarray) -> Interval | None:
        return None if draws is None else percentile_interval(bootstrap_mean(draws, values, owners[probe]))

    return RetrievalResult(
        stratum=name,
        direction=DIRECTIONS[probe],
        probes=len(owners[probe]),
        gallery=len(owners[OTHER[probe]]),
        mean_average_precision=found.mean_average_precision,
        interval=interval(found.average_precisions),
        recall={rank: found.recall_at(rank) for rank in RECALL_RANKS},
        recall_intervals={rank: interval(found.found_within(rank)) for rank in RECALL_RANKS},
    )


def _strata(lists: Lists, wanted: Property, people: People) -> list[tuple[str, Lists]]:
    values = {
        modality: people.values(wanted, [one.identity for one in media]) for modality, media in lists.items()
    }
    shared = sorted(
        {value for value in values["voice"] if value} & {value for value in values["face"] if value}
    )
    return [
        (
            value,
            {
                modality: [
                    one for one, own in zip(lists[modality], values[modality], strict=True) if own == value
                ]
                for modality in MODALITIES
            },
        )
        for value in shared
    ]
