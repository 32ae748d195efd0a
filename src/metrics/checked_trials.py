"""The boundary of every measure on scored trials: what scores and labels must be, and the errors that say so."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError

_SHOWN_ROWS = 5


@dataclass(frozen=True)
class CheckedTrials:
    """Trials that were checked.

    scores: float32 or float64 (trials,), finite, lower = same person. same: bool (trials,), true where voice and
    face are one person.
    """

    scores: np.ndarray
    same: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def checked_trials(scores: ArrayLike, labels: ArrayLike) -> CheckedTrials:
    """Check scores and labels once; measures trust what comes from here.

    scores: (trials,) lower = same person; float32 stays float32, anything else becomes float64. labels: (trials,)
    1 = same person, 0 = different people.
    Raises ListError when the lengths differ, a score is not finite, a label is neither 0 nor 1, or all trials are of
    one kind; it names the first rows, counted from 0.
    """
    score = finite_scores(scores)
    same = checked_labels(labels)
    if score.ndim != 1 or score.shape != same.shape:
        raise ListError(f"scores {score.shape} and labels {same.shape} must be vectors of one length")
    count = int(np.count_nonzero(same))
    if count in (0, len(same)):
        kind = "same-person" if count == 0 else "different-person"
        raise ListError(
            f"not one of {len(same)} trials is a {kind} trial; error rates need same-person (label 1) "
            "and different-person (label 0) trials"
        )
    return CheckedTrials(score, same)


def checked_labels(labels: ArrayLike) -> np.ndarray:
    """Labels as booleans of the same shape. Raises ListError where one is neither 0 nor 1."""
    label = np.asarray(labels)
    if label.dtype == bool:
        return label
    same: np.ndarray = label == 1
    wrong = ~(same | (label == 0))
    if wrong.any():
        first = label[wrong].ravel()[0]
        raise ListError(
            f"labels must be 1 (same person) or 0, but {rows_text(wrong)} differ, such as {first!r}"
        )
    return same


def finite_scores(scores: ArrayLike) -> np.ndarray:
    """Scores of any shape as float32 (if they are that already) or float64. Raises ListError for NaN and infinity."""
    score = np.asarray(scores)
    if score.dtype != np.float32:
        score = score.astype(np.float64, copy=False)
    finite = np.isfinite(score)
    if not finite.all():
        raise ListError(f"scores must be finite numbers, but {rows_text(~finite)} are not")
    return score


def rows_text(chosen: np.ndarray) -> str:
    """How many entries are true and where the first of them stand, for messages.

    >>> rows_text(np.array([False, True, True]))
    '2 of 3 (rows 1, 2)'
    """
    rows = np.flatnonzero(chosen.reshape(len(chosen), -1).any(axis=1)) if chosen.ndim else np.array([0])
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS])) + (" …" if len(rows) > _SHOWN_ROWS else "")
    return f"{np.count_nonzero(chosen)} of {chosen.size} (rows {shown})"
