"""A measure within strata: by sex, nationality, age or any other column that says something about the trials.

The field's stratified lists (G, N, A: Nagrani et al., "Learnable PINs", 2018, section 5.2) hold only trials whose
voice and face agree in a column, so that the column itself answers nothing; `agreeing_values` makes such strata of
any list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.metrics.checked_trials import checked_labels, finite_scores

Measure = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Stratum:
    """The measure among the trials that share one value of the column.

    status: done, or failed with a reason, where the stratum holds trials of one class only. measure: None if failed.
    """

    value: object
    trials: int
    same_trials: int
    status: Literal["done", "failed"]
    reason: str
    measure: float | None


def measure_strata(
    scores: ArrayLike, labels: ArrayLike, column: Sequence[object] | pd.Series, measure: Measure
) -> list[Stratum]:
    """Measure each stratum, largest first; trials whose value is missing (None, NaN) belong to none.

    scores: (trials,) lower = same person. labels: (trials,) 1 or 0. column: (trials,) one value a trial.
    measure: a function of scores and labels, such as `equal_error_rate`. Raises ListError as `roc_curve` does for bad
    scores, labels and lengths.
    """
    score, same = finite_scores(scores), checked_labels(labels)
    values = pd.Series(list(column), dtype=object)
    if not score.shape == same.shape == values.shape:
        raise ListError(
            f"scores {score.shape}, labels {same.shape} and column {values.shape} must be vectors of one length"
        )
    strata = []
    for value, rows in values.groupby(values, sort=True).indices.items():
        strata.append(_measured(value, score[rows], same[rows], measure))
    return sorted(strata, key=lambda stratum: -stratum.trials)


def agreeing_values(voice_values: Sequence[object], face_values: Sequence[object]) -> pd.Series:
    """The value that voice and face share, (trials,), and None where they differ or it is unknown.

    >>> agreeing_values(["f", "m", None], ["f", "f", None]).tolist()
    ['f', None, None]
    """
    voices, faces = pd.Series(list(voice_values), dtype=object), pd.Series(list(face_values), dtype=object)
    if len(voices) != len(faces):
        raise ListError(f"{len(voices)} voices and {len(faces)} faces make no trials; one of each is needed")
    return voices.where((voices == faces) & voices.notna(), None)


def _measured(value: object, scores: np.ndarray, same: np.ndarray, measure: Measure) -> Stratum:
    count = int(np.count_nonzero(same))
    if count in (0, len(same)):
        kind = "same-person" if count == 0 else "different-person"
        return Stratum(value, len(same), count, "failed", f"no {kind} trial", None)
    return Stratum(value, len(same), count, "done", "", measure(scores, same))
