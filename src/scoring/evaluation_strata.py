"""Measures within strata: among trials whose voice and face agree in what is known about people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from src.artifacts.people import People, Property
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.core.errors import ConfigError
from src.metrics.bootstrap import Interval
from src.metrics.strata import agreeing_values, measure_strata
from src.metrics.verification import area_under_curve, equal_error_rate
from src.scoring.evaluation_intervals import list_intervals
from src.scoring.evaluation_table import aligned, percent, percent_range
from src.scoring.truth import says_who


@dataclass(frozen=True)
class MeasuredStratum:
    """One value of a property: its trials, and their measures with intervals, or why there are none."""

    stratum: str
    value: str
    trials: int
    genuine: int
    reason: str
    eer: float | None
    auc: float | None
    eer_interval: Interval | None


def strata_of(
    trials: pd.DataFrame, wanted: Sequence[Property], people: People | None, replicates: int
) -> list[MeasuredStratum]:
    """Measure each stratum of each property, and all that agree in it (the field's G, N, A … lists).

    trials: a frame from `join_truth`. A property is a column of `people`, looked up by the truth's identities; without
    `people` it is a column of the truth, the value of the trial itself.
    Raises ConfigError where the truth lacks the column or does not say who is who.
    """
    return [found for one in wanted for found in _measured(trials, one, people, replicates)]


def strata_table(strata: Sequence[MeasuredStratum]) -> str:
    """A table for the terminal."""
    lines = [["stratum", "trials", "EER", "95 % interval", "AUC", ""]]
    for one in strata:
        name = f"{one.stratum}: {one.value}"
        numbers = [percent(one.eer), percent_range(one.eer_interval), percent(one.auc), one.reason]
        lines.append([name, str(one.trials), *numbers])
    return aligned(lines)


def _measured(
    trials: pd.DataFrame, wanted: Property, people: People | None, replicates: int
) -> list[MeasuredStratum]:
    values = _values(trials, wanted, people)
    agreeing = values.where(values.isna(), "all that agree")
    columns = [agreeing, values] if people is not None else [values]
    return [
        stratum for column in columns for stratum in _measured_column(trials, str(wanted), column, replicates)
    ]


def _measured_column(
    trials: pd.DataFrame, name: str, column: pd.Series, replicates: int
) -> list[MeasuredStratum]:
    score, label = trials["score"].to_numpy(), trials["label"].to_numpy()
    rates = measure_strata(score, label, column, equal_error_rate)
    areas = {one.value: one.measure for one in measure_strata(score, label, column, area_under_curve)}
    found = []
    for one in rates:
        interval = None
        if one.measure is not None and replicates and says_who(trials):
            within = {"stratum": trials[(column == one.value).to_numpy(bool)]}
            intervals = list_intervals(within, (VOICE_IDENTITY, FACE_IDENTITY), replicates)
            interval = intervals.lists["stratum"]["eer"]
        found.append(
            MeasuredStratum(
                stratum=name,
                value=str(one.value),
                trials=one.trials,
                genuine=one.same_trials,
                reason=one.reason,
                eer=one.measure,
                auc=areas[one.value],
                eer_interval=interval,
            )
        )
    return found


def _values(trials: pd.DataFrame, wanted: Property, people: People | None) -> "pd.Series[Any]":
    if people is None:
        name = str(wanted)
        if name not in trials.columns:
            raise ConfigError(
                f"the truth has no column {name}, and no --metadata says more about people; it has "
                f"{', '.join(column for column in trials.columns if column != 'score')}"
            )
        return pd.Series(trials[name].to_numpy(object), dtype=object)
    if not says_who(trials):
        raise ConfigError(
            f"strata by {wanted} need to know who is in a trial: a truth with the columns {VOICE_IDENTITY} and "
            f"{FACE_IDENTITY}, or a verification list"
        )
    return agreeing_values(
        people.values(wanted, trials[VOICE_IDENTITY]), people.values(wanted, trials[FACE_IDENTITY])
    )
