"""Confidence intervals of equal error rates by bootstrap over people.

Trials that share a person are not independent, so people are drawn anew, with replacement, and a trial counts
as often as its people were drawn: a trial of two people i, j wi·wj times, a trial of one person wi times (the
two-way bootstrap of Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, equation 1). Cells
that are drawn together see the same draw, so the interval of their mean accounts for their dependence.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.core.seeding import random_stream

REPLICATES = 1000
LOW_PERCENT, HIGH_PERCENT = 2.5, 97.5
VOICE_UNIT, FACE_UNIT = "voice_unit", "face_unit"
_BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A 95 % percentile interval, 0 to 1."""

    low: float
    high: float


def bootstrap_eers(cells: Mapping[str, pd.DataFrame], replicates: int = REPLICATES) -> dict[str, np.ndarray]:
    """Equal error rates of each cell over bootstrap draws, (replicates,); NaN where a draw lost a class.

    cells: frames with `score` (lower = same), `label`, and the units that are drawn: VOICE_UNIT and
    FACE_UNIT, the people of the voice and of the face. To draw trials instead of people, both are the
    trial's id.
    """
    units = sorted({unit for cell in cells.values() for unit in (*cell[VOICE_UNIT], *cell[FACE_UNIT])})
    place = {unit: row for row, unit in enumerate(units)}
    largest = max(len(units), *(len(cell) for cell in cells.values()))
    block = max(1, _BLOCK_NUMBERS // largest)
    prepared = {name: _Prepared.of(cell, place) for name, cell in cells.items()}
    rates: dict[str, list[np.ndarray]] = {name: [] for name in cells}
    stream = random_stream("bootstrap", len(units))
    uniform = np.full(len(units), 1 / len(units))
    for start in range(0, replicates, block):
        draws = stream.multinomial(len(units), uniform, size=min(block, replicates - start))
        for name, cell in prepared.items():
            rates[name].append(cell.equal_error_rates(draws.astype(np.float64)))
    return {name: np.concatenate(values) for name, values in rates.items()}


def interval(rates: np.ndarray) -> Interval | None:
    """The 95 % percentile interval of bootstrap rates; None when hardly any draw held both classes."""
    usable = rates[np.isfinite(rates)]
    if len(usable) < 0.5 * len(rates):
        return None
    low, high = np.percentile(usable, [LOW_PERCENT, HIGH_PERCENT])
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class _Prepared:
    """A cell sorted by score: rows of its units, its labels, and the last trial of each distinct score."""

    voices: np.ndarray
    faces: np.ndarray
    same: np.ndarray
    last_of_ties: np.ndarray

    @classmethod
    def of(cls, cell: pd.DataFrame, place: Mapping[str, int]) -> "_Prepared":
        cell = cell.sort_values("score", kind="stable")
        score = cell["score"].to_numpy()
        return cls(
            cell[VOICE_UNIT].map(place).to_numpy(),
            cell[FACE_UNIT].map(place).to_numpy(),
            cell["label"].to_numpy() == 1,
            np.append(np.flatnonzero(np.diff(score)), len(score) - 1),
        )

    def equal_error_rates(self, draws: np.ndarray) -> np.ndarray:
        """draws: (replicates, units) how often each unit was drawn → (replicates,) rates."""
        weights = draws[:, self.voices]
        weights = np.where(self.voices == self.faces, weights, weights * draws[:, self.faces])
        accepted_same = np.cumsum(weights * self.same, axis=1)[:, self.last_of_ties]
        accepted_different = np.cumsum(weights * ~self.same, axis=1)[:, self.last_of_ties]
        usable = (accepted_same[:, -1] > 0) & (accepted_different[:, -1] > 0)
        rates = np.full(len(draws), np.nan)
        rates[usable] = _crossings(accepted_same[usable], accepted_different[usable])
        return rates


def _crossings(accepted_same: np.ndarray, accepted_different: np.ndarray) -> np.ndarray:
    """Roots of 1 - x = ROC(x), as in src/metrics/verification.py, one a row."""
    origin = np.zeros((len(accepted_same), 1))
    true_accepts = np.hstack([origin, accepted_same / accepted_same[:, -1:]])
    false_accepts = np.hstack([origin, accepted_different / accepted_different[:, -1:]])
    excess = true_accepts + false_accepts - 1.0
    rows = np.arange(len(excess))
    end = np.argmax(excess >= 0, axis=1)
    start = end - 1
    share = -excess[rows, start] / (excess[rows, end] - excess[rows, start])
    return false_accepts[rows, start] + share * (false_accepts[rows, end] - false_accepts[rows, start])
