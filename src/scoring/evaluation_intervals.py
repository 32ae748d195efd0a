"""Bootstrap intervals of everything that is measured on scored trials, over the people in them."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from src.metrics.bootstrap import (
    REPLICATES,
    IdentityDraws,
    Interval,
    bootstrap_curve_measures,
    bootstrap_mean,
    percentile_interval,
)
from src.metrics.k_fold_accuracy import FOLDS, k_fold_accuracy
from src.scoring.evaluation import ACCURACY, CURVE_MEASURES

Name = TypeVar("Name", bound=Hashable)
Intervals = dict[str, Interval | None]


@dataclass(frozen=True)
class ListIntervals(Generic[Name]):
    """95 % intervals: measure → interval of each list, and of the plain mean over the lists.

    units: how many people (or trials) were drawn anew. replicates: how often.
    """

    lists: dict[Name, Intervals]
    mean: Intervals
    units: int
    replicates: int


def list_intervals(
    lists: Mapping[Name, pd.DataFrame], units: tuple[str, str], replicates: int = REPLICATES
) -> ListIntervals[Name]:
    """Intervals of lists that are drawn together, so that that of their mean accounts for their dependence.

    lists: frames with `score`, `label` and the two columns `units`: whom the voice and the face are of.
    """
    voice, face = units
    draws = IdentityDraws.of(
        *(frame[column].to_numpy(object) for frame in lists.values() for column in units),
        replicates=replicates,
    )
    found = {name: _replicates(draws, frame, voice, face) for name, frame in lists.items()}
    measures = [name for name in (*CURVE_MEASURES, ACCURACY) if all(name in one for one in found.values())]
    return ListIntervals(
        {
            name: {key: percentile_interval(values) for key, values in one.items()}
            for name, one in found.items()
        },
        {key: percentile_interval(np.mean([one[key] for one in found.values()], axis=0)) for key in measures},
        len(draws.names),
        replicates,
    )


def _replicates(draws: IdentityDraws, frame: pd.DataFrame, voice: str, face: str) -> dict[str, np.ndarray]:
    score, label = frame["score"].to_numpy(), frame["label"].to_numpy()
    people = frame[voice].to_numpy(object), frame[face].to_numpy(object)
    found = bootstrap_curve_measures(draws, score, label, people, CURVE_MEASURES)
    if len(frame) >= FOLDS:
        found[ACCURACY] = bootstrap_mean(draws, k_fold_accuracy(score, label).correct, *people)
    return found
