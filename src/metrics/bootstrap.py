"""Confidence intervals of any measure, by bootstrap over people.

Trials that share a person are not independent, so people are drawn anew, with replacement, and a trial counts as
often as its people were drawn: a trial of two people i, j wi·wj times, a trial of one person wi times (the two-way
bootstrap of Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, equation 1). Replicate r draws the
same people whatever is measured, so lists that share `IdentityDraws` can be combined replicate by replicate.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from src.core.errors import ListError
from src.core.seeding import random_stream
from src.metrics.checked_trials import checked_trials, finite_scores
from src.metrics.verification import RocCurve

REPLICATES = 1000
LOW_PERCENT, HIGH_PERCENT = 2.5, 97.5
CurveMeasure = Callable[[RocCurve], float]


@dataclass(frozen=True)
class Interval:
    """A 95 % percentile interval, in the unit of the measure."""

    low: float
    high: float


@dataclass(frozen=True)
class IdentityDraws:
    """Draws of people, made when they are asked for: nothing is held but their names.

    names: who can be drawn, ascending, each once. replicates: how many draws.
    """

    names: np.ndarray
    replicates: int = REPLICATES

    @classmethod
    def of(cls, *identities: ArrayLike, replicates: int = REPLICATES) -> "IdentityDraws":
        """Draws over everybody who stands in any of the vectors of identities."""
        return cls(np.unique(np.concatenate([np.asarray(one) for one in identities])), replicates)

    def rows(self, identities: ArrayLike) -> np.ndarray:
        """Places of the identities among `names`. Raises ListError for one that is not there."""
        wanted = np.asarray(identities)
        places = np.minimum(np.searchsorted(self.names, wanted), len(self.names) - 1)
        if (self.names[places] != wanted).any():
            stranger = wanted[self.names[places] != wanted][0]
            raise ListError(f"{stranger!s} is not among the {len(self.names)} people who are drawn")
        return places

    def counts(self) -> Iterator[np.ndarray]:
        """How often each person was drawn, float64 (names,), replicate by replicate."""
        people = len(self.names)
        for replicate in range(self.replicates):
            drawn = random_stream("bootstrap", people, replicate).integers(people, size=people)
            yield np.bincount(drawn, minlength=people).astype(np.float64)


def bootstrap_curve_measures(
    draws: IdentityDraws,
    scores: ArrayLike,
    labels: ArrayLike,
    identities: tuple[ArrayLike, ArrayLike],
    measures: Mapping[str, CurveMeasure],
) -> dict[str, np.ndarray]:
    """Measures of an ROC, such as `equal_error_rate_of`, over the draws: name → (replicates,).

    scores, labels: see `src.metrics.verification.roc_curve`. identities: of the voice and of the face of each trial.
    NaN where a draw lost one class. Raises ListError as `roc_curve` does.
    """
    trials = checked_trials(scores, labels)
    order = np.argsort(trials.scores, kind="stable")
    ranked, same = trials.scores[order], trials.same[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    thresholds = np.append(-np.inf, ranked[last_of_ties])
    voices, faces = (_rows_of(draws, one, len(trials))[order] for one in identities)
    values: dict[str, list[float]] = {name: [] for name in measures}
    for counts in draws.counts():
        curve = _weighted_curve(_trial_weights(counts, (voices, faces)), same, last_of_ties, thresholds)
        for name, measure in measures.items():
            values[name].append(np.nan if curve is None else measure(curve))
    return {name: np.array(found) for name, found in values.items()}


def bootstrap_mean(draws: IdentityDraws, values: ArrayLike, *identities: ArrayLike) -> np.ndarray:
    """The mean of one value an item over the draws, (replicates,); NaN where a draw lost every item.

    values: (items,), such as `FoldedAccuracy.correct`, `MatchingAccuracy.correct`, `Retrieval.average_precisions`.
    identities: one or two vectors (items,), the people who make an item what it is.
    """
    value = finite_scores(values)
    rows = [_rows_of(draws, one, len(value)) for one in identities]
    if value.ndim != 1 or not 1 <= len(rows) <= 2:
        raise ListError("a mean needs a vector of values and one or two vectors of identities")
    means = []
    for counts in draws.counts():
        weights = _trial_weights(counts, rows)
        total = weights.sum()
        means.append(float(weights @ value / total) if total else np.nan)
    return np.array(means)


def percentile_interval(values: np.ndarray) -> Interval | None:
    """The 95 % percentile interval of bootstrap values; None when hardly any draw could be measured."""
    usable = values[np.isfinite(values)]
    if len(usable) < 0.5 * len(values):
        return None
    low, high = np.percentile(usable, [LOW_PERCENT, HIGH_PERCENT])
    return Interval(float(low), float(high))


def _rows_of(draws: IdentityDraws, identities: ArrayLike, items: int) -> np.ndarray:
    rows = draws.rows(identities)
    if rows.shape != (items,):
        raise ListError(f"{items} items have {rows.size} identities; there must be one for each")
    return rows


def _trial_weights(counts: np.ndarray, rows: Sequence[np.ndarray]) -> np.ndarray:
    weights: np.ndarray = counts[rows[0]]
    for further in rows[1:]:
        weights = weights * np.where(further == rows[0], 1.0, counts[further])
    return weights


def _weighted_curve(
    weights: np.ndarray, same: np.ndarray, last_of_ties: np.ndarray, thresholds: np.ndarray
) -> RocCurve | None:
    """The ROC of trials in ascending order that count `weights` times; None when a class has no weight."""
    accepted_same = np.append(0.0, np.cumsum(weights * same)[last_of_ties])
    accepted_different = np.append(0.0, np.cumsum(weights * ~same)[last_of_ties])
    same_total, different_total = accepted_same[-1], accepted_different[-1]
    if same_total == 0 or different_total == 0:
        return None
    return RocCurve(
        false_accept_rates=accepted_different / different_total,
        true_accept_rates=accepted_same / same_total,
        thresholds=thresholds,
        same_share=float(same_total / (same_total + different_total)),
    )
