"""Verification accuracy by the field's 10-fold protocol.

The list is cut into ten consecutive parts. For each part a threshold is chosen on the nine others, where it gives
the best accuracy, and the part is judged with it; the mean over the parts is reported (Huang et al., "Labeled Faces
in the Wild", 2007, section 4; the sweeps that are published with SphereFace and FaceNet). A trial is accepted when
its score lies **below** the threshold, and of thresholds that are equally good the strictest is taken, as both do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.metrics.checked_trials import checked_trials

FOLDS = 10


@dataclass(frozen=True)
class FoldedAccuracy:
    """The outcome of the protocol.

    fold_accuracies: (folds,) share of right decisions in each part. thresholds: (folds,) chosen on the other parts.
    correct: bool (trials,), whether each trial was decided rightly, in list order: what a bootstrap draws from.
    """

    fold_accuracies: np.ndarray
    thresholds: np.ndarray
    correct: np.ndarray

    @property
    def mean(self) -> float:
        """The accuracy that is reported, 0 to 1."""
        return float(self.fold_accuracies.mean())


def k_fold_accuracy(
    scores: ArrayLike, labels: ArrayLike, thresholds: ArrayLike | None = None, folds: int = FOLDS
) -> FoldedAccuracy:
    """Accuracy by the 10-fold protocol, all thresholds at once.

    scores: (trials,) lower = same person. labels: (trials,) 1 = same person, 0 = different people, in list order,
    both kinds mixed through the list. thresholds: the grid that is searched, ascending; every score of the list and
    infinity if None, which leaves nothing to chance and is the same for any increasing change of scale.
    Raises ListError as `roc_curve` does, for fewer trials than folds, and for a grid that does not ascend.
    """
    trials = checked_trials(scores, labels)
    total = len(trials)
    if not 2 <= folds <= total:
        raise ListError(f"{total} trials cannot be cut into {folds} parts; there must be at least 2 parts")
    grid = _grid(trials.scores, thresholds)
    edges = np.arange(folds + 1) * total // folds
    # grid places from which on a trial is accepted: those above its score; len(grid) if there is none
    accepted_from = np.searchsorted(grid, trials.scores, side="right")
    right_of_all = _right_decisions(accepted_from, trials.same, len(grid))
    accuracies, chosen = np.empty(folds), np.empty(folds, np.int64)
    correct = np.empty(total, bool)
    for fold in range(folds):
        part = slice(edges[fold], edges[fold + 1])
        right = _right_decisions(accepted_from[part], trials.same[part], len(grid))
        chosen[fold] = np.argmax(right_of_all - right)
        correct[part] = (accepted_from[part] <= chosen[fold]) == trials.same[part]
        accuracies[fold] = correct[part].mean()
    return FoldedAccuracy(accuracies, grid[chosen], correct)


def _right_decisions(accepted_from: np.ndarray, same: np.ndarray, grid_size: int) -> np.ndarray:
    """How many trials each threshold of the grid decides rightly, (grid,): others rejected, same accepted."""
    gains = np.bincount(accepted_from[same], minlength=grid_size + 1)
    losses = np.bincount(accepted_from[~same], minlength=grid_size + 1)
    right: np.ndarray = np.count_nonzero(~same) + np.cumsum(gains - losses)[:-1]
    return right


def _grid(scores: np.ndarray, thresholds: ArrayLike | None) -> np.ndarray:
    if thresholds is None:
        return np.append(np.unique(scores), np.inf)
    grid = np.asarray(thresholds, dtype=np.float64)
    if grid.ndim != 1 or len(grid) == 0 or not (np.diff(grid) > 0).all():
        raise ListError("thresholds must be a vector of ascending numbers, at least one")
    return grid
