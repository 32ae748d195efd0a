"""Matching 1:N: which of N candidates is the person of the probe?

Voice to face (V2F) the probe is a voice and the candidates are faces; face to voice (F2V) the other way. The measure
is the same, only who scores whom changes (Nagrani, Albanie and Zisserman, "Seeing Voices and Hearing Faces", 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.metrics.checked_trials import finite_scores

SMALLEST_GALLERY, LARGEST_GALLERY = 2, 10


@dataclass(frozen=True)
class MatchingAccuracy:
    """The outcome for one number of candidates.

    candidates: N. correct: float (questions,), 1 where the true candidate is the best, 0 where it is not, and 1 / n
    where it shares the best score with n − 1 others, as if one of them were drawn.
    """

    candidates: int
    correct: np.ndarray

    @property
    def mean(self) -> float:
        """The accuracy that is reported, 0 to 1; 1 / N by chance."""
        return float(self.correct.mean())


def matching_accuracy(scores: ArrayLike) -> MatchingAccuracy:
    """Accuracy of questions that all have N candidates.

    scores: (questions, N) of the probe with each candidate, lower = same person; **the true candidate stands first**,
    as in the published lists. Raises ListError for other shapes and scores that are not finite.
    """
    score = finite_scores(scores)
    if score.ndim != 2 or score.shape[0] == 0 or score.shape[1] < SMALLEST_GALLERY:
        raise ListError(
            f"matching scores {score.shape} must be a table: a row for each question, of the true candidate "
            "and at least one other"
        )
    best = score.min(axis=1, keepdims=True)
    is_best = score == best
    return MatchingAccuracy(score.shape[1], is_best[:, 0] / is_best.sum(axis=1))


def matching_by_gallery_size(scores: ArrayLike) -> dict[int, MatchingAccuracy]:
    """Accuracy for N = 2 … 10, as far as there are candidates: for each N the first N of every row.

    scores and errors: see `matching_accuracy`. The galleries are nested, so the accuracy never rises with N.
    """
    score = finite_scores(scores)
    largest = min(score.shape[1], LARGEST_GALLERY) if score.ndim == 2 else SMALLEST_GALLERY
    sizes = range(SMALLEST_GALLERY, max(largest, SMALLEST_GALLERY) + 1)
    return {size: matching_accuracy(score[:, :size] if score.ndim == 2 else score) for size in sizes}
