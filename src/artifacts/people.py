"""What is known about people: a table such as VoxCeleb's vox1_meta.csv, looked up by any of their names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from src.artifacts.media_identities import read_table
from src.core.errors import ConfigError, ListError


@dataclass(frozen=True)
class Property:
    """A column of the table, or several together.

    columns: (name, step) each; with a step the column is a number, and people within one step are alike.
    """

    columns: tuple[tuple[str, float | None], ...]

    @classmethod
    def parse(cls, text: str) -> "Property":
        """From `sex`, `age:10` (decades) or `sex+nationality`. Raises ConfigError."""
        columns = []
        for part in text.split("+"):
            name, colon, step = part.partition(":")
            try:
                width = float(step) if colon else None
            except ValueError:
                width = 0.0
            if not name or (width is not None and not width > 0):
                raise ConfigError(
                    f"{text!r} is not a property such as sex, age:10 (in steps of 10) or sex+nationality"
                )
            columns.append((name, width))
        return cls(tuple(columns))

    def __str__(self) -> str:
        return "+".join(name if step is None else f"{name}:{step:g}" for name, step in self.columns)


@dataclass(frozen=True)
class People:
    """A table with a row a person. `rows`: each name that identifies one person alone → its row."""

    source: str
    table: pd.DataFrame
    rows: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> "People":
        """Read a CSV with commas or tabs; every column whose values are all different, and no decimals, names people.

        Raises ListError for a table that is missing or names nobody.
        """
        table = read_table(path)
        naming = [name for name in table.columns if _names_people(table[name])]
        if not naming or table.empty:
            raise ListError(
                f"{path}: no column tells the {len(table)} rows apart; it must name each person once"
            )
        rows: dict[str, int] = {}
        for name in naming:
            for row, value in enumerate(table[name]):
                if rows.setdefault(value, row) != row:
                    raise ListError(f"{path}: {value} names two people, in the columns {', '.join(naming)}")
        return cls(str(path), table, rows)

    def row_of(self, identity: str) -> int | None:
        """The person's row, None where the table does not know the name."""
        return self.rows.get(identity)

    def values(self, wanted: Property, identities: Iterable[str]) -> list[str | None]:
        """The value of each person, None where it is empty.

        Raises ListError for columns that the table lacks, numbers that are none, and people who are not in it.
        """
        by_row = self._by_row(wanted)
        names = list(identities)
        rows = [self.rows.get(name) for name in names]
        strangers = sorted({name for name, row in zip(names, rows, strict=True) if row is None})
        if strangers:
            raise ListError(
                f"{self.source}: does not know {len(strangers)} people of the list: {', '.join(strangers[:5])}"
            )
        return [None if row is None else by_row[row] for row in rows]

    def _by_row(self, wanted: Property) -> Sequence[str | None]:
        parts = [self._column(name, step) for name, step in wanted.columns]
        return [None if None in row else " ".join(map(str, row)) for row in zip(*parts, strict=True)]

    def _column(self, name: str, step: float | None) -> list[str | None]:
        matching = [column for column in self.table.columns if column.lower() == name.lower()]
        if len(matching) != 1:
            raise ListError(f"{self.source}: has no column {name}; it has {', '.join(self.table.columns)}")
        column = self.table[matching[0]]
        if step is None:
            return [None if pd.isna(value) else str(value) for value in column]
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = column.notna() & numbers.isna()
        if wrong.any():
            raise ListError(f"{self.source}: {name} is not a number but {column[wrong].iloc[0]!r}")
        lowest = np.floor(numbers / step) * step
        return [None if pd.isna(low) else f"{low:g}–{low + step:g}" for low in lowest]


def _names_people(column: pd.Series) -> bool:
    """Measurements differ from person to person too, but two of one value name nobody."""
    numbers = pd.to_numeric(column, errors="coerce")
    decimals = (numbers % 1).fillna(0) != 0
    return bool(column.notna().all() and column.is_unique and not decimals.any())
