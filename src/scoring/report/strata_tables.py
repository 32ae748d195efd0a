"""The section on strata: the error among trials that share a property of the people, or a value of the truth."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from src.artifacts.people import Property
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.scoring.cells import Cell
from src.scoring.evaluation_strata import MeasuredStratum, strata_of
from src.scoring.report.sources import Absent, ReportData
from src.scoring.truth import BAYES_RATIO, SAME_SEX

MOST_VALUES = 12
_NOT_STRATA = {"label", "score", "voice", "face", VOICE_IDENTITY, FACE_IDENTITY, BAYES_RATIO}
_TITLES = {SAME_SEX: "Sex of voice and face"}
_VALUES = {SAME_SEX: {"1.0": "one sex", "0.0": "two sexes"}}


@dataclass(frozen=True)
class StrataRow:
    """A value and its measures in each cell, None where no trial of the cell has it."""

    value: str
    cells: list[MeasuredStratum | None]


@dataclass(frozen=True)
class StrataTable:
    """The rows of one property. of_people: whether voice and face have to agree in it."""

    title: str
    of_people: bool
    rows: list[StrataRow]


@dataclass(frozen=True)
class StrataSection:
    """Tables over the cells of the submission; left_out: columns of the truth with too many values."""

    cells: list[Cell]
    tables: list[StrataTable]
    left_out: list[str]


def strata_section(data: ReportData, by: Sequence[Property], replicates: int) -> StrataSection | Absent:
    """Strata by every column of the truth that has few values, and by the properties of people that were asked for."""
    counts = {
        column: max(frame[column].nunique() for frame in data.cells.values() if column in frame)
        for frame in data.cells.values()
        for column in frame.columns
        if column not in _NOT_STRATA
    }
    tables = [
        _table(data, column, by_column(column, replicates), of_people=False)
        for column, count in counts.items()
        if 2 <= count <= MOST_VALUES
    ]
    for wanted in by:

        def of_people(frame: pd.DataFrame, wanted: Property = wanted) -> list[MeasuredStratum]:
            return strata_of(frame, [wanted], data.people, replicates)

        tables.append(_table(data, str(wanted), of_people, of_people=True))
    if not tables:
        return Absent(
            "The truth has no column that parts the trials, and no table of people was given.",
            "Give --metadata PEOPLE.csv --by sex nationality age:10, or add columns to the truth files.",
        )
    left_out = [column for column, count in counts.items() if count > MOST_VALUES]
    return StrataSection(list(data.cells), tables, left_out)


def by_column(column: str, replicates: int) -> Callable[[pd.DataFrame], list[MeasuredStratum]]:
    """A measurement of the strata of one column of the truth; a list without it has none."""
    wanted = Property(((column, None),))

    def measure(frame: pd.DataFrame) -> list[MeasuredStratum]:
        return strata_of(frame, [wanted], None, replicates) if column in frame.columns else []

    return measure


def _table(
    data: ReportData, name: str, measure: Callable[[pd.DataFrame], list[MeasuredStratum]], *, of_people: bool
) -> StrataTable:
    found = [{stratum.value: stratum for stratum in measure(frame)} for frame in data.cells.values()]
    values = sorted(dict.fromkeys(value for one in found for value in one), key=_lowest_number)
    rows = [
        StrataRow(_VALUES.get(name, {}).get(value, value), [one.get(value) for one in found])
        for value in values
    ]
    return StrataTable(_TITLES.get(name, name), of_people, rows)


def _lowest_number(value: str) -> float:
    """Of a number or a range such as `-1–0`; other values stay before them, in the order in which they came."""
    number = re.match(r"-?\d+(\.\d+)?", value)
    return float(number[0]) if number else -math.inf
