"""Retrieval: a gallery is ranked by its scores with a probe; where do the items of the probe's person stand?

Voice to face (V2F) probes are voices and the gallery is faces; face to voice (F2V) the other way: the transposed
blocks. The whole table of scores is never held: it comes in blocks of rows. An item's rank is the number of items
that score at most as much, so ties count against the system and no order of the gallery can help it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.core.polarity import score_from_similarity
from src.metrics.checked_trials import finite_scores, rows_text

RECALL_RANKS = (1, 5, 10)
_BLOCK_NUMBERS = 8_000_000


@dataclass(frozen=True)
class Retrieval:
    """The outcome, probe by probe.

    average_precisions: (probes,), 0 to 1, ties as in src/metrics/average_precision.py.
    first_ranks: integers (probes,), rank of the best item of the probe's person, from 1.
    """

    average_precisions: np.ndarray
    first_ranks: np.ndarray

    @property
    def mean_average_precision(self) -> float:
        """mAP, 0 to 1."""
        return float(self.average_precisions.mean())

    def recall_at(self, rank: int) -> float:
        """Share of probes that have an item of their person among the first `rank`, 0 to 1 (R@k)."""
        return float(self.found_within(rank).mean())

    def found_within(self, rank: int) -> np.ndarray:
        """Bool (probes,): what `recall_at` is the mean of."""
        if rank < 1:
            raise ValueError(f"ranks count from 1, not from {rank}")
        return self.first_ranks <= rank


def retrieval(
    score_blocks: Iterable[ArrayLike],
    probe_identities: Sequence[object],
    gallery_identities: Sequence[object],
) -> Retrieval:
    """Rank the gallery for every probe.

    score_blocks: consecutive rows of the (probes, gallery) table of scores, lower = same person, such as
    `dot_product_blocks`. probe_identities, gallery_identities: (probes,), (gallery,), who is in each item.
    Raises ListError when a probe's person is not in the gallery, blocks and identities do not fit each other, or a
    score is not finite.
    """
    gallery, sections = _sections(probe_identities, gallery_identities)
    precisions, ranks = np.empty(len(sections)), np.empty(len(sections), np.int64)
    row = 0
    for block in score_blocks:
        scores = finite_scores(block)
        if scores.ndim != 2 or scores.shape[1] != len(gallery) or row + len(scores) > len(sections):
            raise ListError(
                f"a block of scores {scores.shape} from row {row} does not fit {len(sections)} probes "
                f"and a gallery of {len(gallery)}"
            )
        for line in scores:
            precisions[row], ranks[row] = _ranked(line[gallery], *sections[row])
            row += 1
    if row != len(sections):
        raise ListError(f"the blocks of scores hold {row} rows, but there are {len(sections)} probes")
    return Retrieval(precisions, ranks)


def dot_product_blocks(
    probes: np.ndarray, gallery: np.ndarray, block_numbers: int = _BLOCK_NUMBERS
) -> Iterator[np.ndarray]:
    """Scores of a two-branch method, block by block: minus the dot product of each probe with each gallery vector.

    probes: float (probes, d). gallery: float (gallery, d). block_numbers: most numbers in a block, which bounds the
    memory. Yields (rows, gallery).
    """
    rows = max(1, block_numbers // max(1, len(gallery)))
    for start in range(0, len(probes), rows):
        yield score_from_similarity(probes[start : start + rows] @ gallery.T)


def _sections(
    probe_identities: Sequence[object], gallery_identities: Sequence[object]
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """The gallery's order by identity, and where each probe's person stands in it."""
    if len(probe_identities) == 0 or len(gallery_identities) == 0:
        raise ListError("retrieval needs at least one probe and one item in the gallery")
    names, numbers = np.unique(np.asarray(gallery_identities), return_inverse=True)
    edges = np.append(0, np.cumsum(np.bincount(numbers, minlength=len(names))))
    probe = np.asarray(probe_identities)
    place = np.minimum(np.searchsorted(names, probe), len(names) - 1)
    absent = names[place] != probe
    if absent.any():
        raise ListError(
            f"{rows_text(absent)} probes show a person who is not in the gallery, such as {probe[absent][0]!s}; "
            "leave them out, or add the person"
        )
    return np.argsort(numbers, kind="stable"), list(
        zip(edges[place].tolist(), edges[place + 1].tolist(), strict=True)
    )


def _ranked(scores: np.ndarray, start: int, end: int) -> tuple[float, int]:
    """Average precision and first rank; the person's items are scores[start:end]."""
    relevant = np.sort(scores[start:end])
    ahead = np.searchsorted(np.sort(scores), relevant, side="right")
    relevant_ahead = np.searchsorted(relevant, relevant, side="right")
    return float((relevant_ahead / ahead).mean()), int(ahead[0])
