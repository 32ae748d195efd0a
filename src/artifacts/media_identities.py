"""Tables that say who is in a medium, and what is known about people: CSV with commas or tabs."""

from pathlib import Path

import pandas as pd

from src.core.errors import ListError


def read_media_identities(path: Path) -> dict[str, str]:
    """Key → identity, from a table with the columns `key` and `identity`.

    Raises ListError for a table that is missing, lacks a column, or gives a key no identity or two.
    """
    table = read_table(path)
    if not {"key", "identity"} <= set(table.columns):
        raise ListError(f"{path}: needs the columns key and identity; it has {', '.join(table.columns)}")
    table = table[["key", "identity"]].drop_duplicates()
    unclear = table[table["identity"].isna() | table["key"].duplicated(keep=False)]
    if len(unclear):
        names = ", ".join(map(str, unclear["key"].unique()[:5]))
        raise ListError(f"{path}: does not say who is in {len(unclear)} media, or names two people: {names}")
    return dict(zip(table["key"], table["identity"], strict=True))


def read_table(path: Path) -> pd.DataFrame:
    """A table of texts with a header, separated by commas or, where its header has one, by tabs.

    Raises ListError where it is missing or cannot be read.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such table")
    try:
        with path.open(encoding="utf-8-sig") as stream:
            separator = "\t" if "\t" in stream.readline() else ","
        table = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig", skipinitialspace=True)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ListError(f"{path}: not readable as a table: {error}") from error
    table.columns = table.columns.str.strip()
    return table
