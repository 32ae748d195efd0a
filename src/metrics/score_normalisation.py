"""Score normalisation with a cohort: a score is judged by what the same voice and face get with strangers.

Some voices are near to every face, some faces near to every voice; z-norm takes the first out, t-norm the second,
s-norm is the mean of both, and adaptive s-norm looks only at each item's nearest strangers (Auckenthaler et al.,
"Score normalization for text-independent speaker verification systems", 2000; Matějka et al., "Analysis of score
normalization in multilingual speaker recognition", 2017, equations 1 to 4). The cohort is of people who are in no
trial, such as those of training: for voices it is their faces, for faces their voices.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.metrics.checked_trials import finite_scores, rows_text


@dataclass(frozen=True)
class CohortStatistics:
    """Mean and standard deviation of each item's scores with the cohort, both float64 (items,)."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, score_blocks: Iterable[ArrayLike], nearest: int | None = None) -> "CohortStatistics":
        """Statistics of items, a block of rows at a time.

        score_blocks: consecutive rows of the (items, cohort) table of scores, lower = same person. nearest: how many
        of the cohort count, those with the lowest scores (adaptive normalisation); all if None.
        Raises ListError for scores that are not finite, a cohort of fewer than 2 or than `nearest`, and items that
        score the same with the whole cohort.
        """
        means, deviations = [], []
        for block in score_blocks:
            scores = finite_scores(block).astype(np.float64)
            needed = max(2, nearest or 2)
            if scores.ndim != 2 or scores.shape[1] < needed:
                raise ListError(
                    f"cohort scores {scores.shape} must be a table with at least {needed} columns"
                )
            if nearest is not None:
                scores = np.partition(scores, nearest - 1, axis=1)[:, :nearest]
            means.append(scores.mean(axis=1))
            deviations.append(scores.std(axis=1))
        if not means:
            raise ListError("there are no cohort scores")
        mean, deviation = np.concatenate(means), np.concatenate(deviations)
        # the mean of equal numbers may differ from them in the last place
        flat = deviation <= 8 * np.finfo(np.float64).eps * np.abs(mean)
        if flat.any():
            raise ListError(f"{rows_text(flat)} items score the same with the whole cohort; leave them out")
        return cls(mean, deviation)

    def standardise(self, scores: ArrayLike, rows: ArrayLike) -> np.ndarray:
        """Scores in standard deviations from the cohort's mean: z-norm with voices' statistics, t-norm with faces'.

        scores: (trials,). rows: integers (trials,), which item each trial has. Returns float64 (trials,).
        """
        score, row = finite_scores(scores), np.asarray(rows)
        if score.ndim != 1 or score.shape != row.shape:
            raise ListError(f"scores {score.shape} and rows {row.shape} must be vectors of one length")
        if len(row) and not 0 <= row.min() <= row.max() < len(self.mean):
            raise ListError(f"rows reach from {row.min()} to {row.max()}; there are {len(self.mean)} items")
        normalised: np.ndarray = (score - self.mean[row]) / self.deviation[row]
        return normalised


def s_norm(
    scores: ArrayLike,
    voices: CohortStatistics,
    voice_rows: ArrayLike,
    faces: CohortStatistics,
    face_rows: ArrayLike,
) -> np.ndarray:
    """Symmetric normalisation, the mean of z-norm and t-norm, float64 (trials,); adaptive (as-norm) where the
    statistics are of the nearest strangers.

    scores: (trials,), lower = same person, which stays so. voice_rows, face_rows: integers (trials,), rows of the
    statistics.
    """
    mean: np.ndarray = (voices.standardise(scores, voice_rows) + faces.standardise(scores, face_rows)) / 2
    return mean
