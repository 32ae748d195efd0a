"""Several stores of one encoder into one; of one store, the same with few large parts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from src.artifacts.embedding_store import (
    MANIFEST_FOLDER,
    MANIFEST_SCHEMA,
    TOKEN_FOLDER,
    read_store_information,
    token_schema,
)
from src.artifacts.store_reading import part_paths, require_vectors, unreadable_part
from src.artifacts.store_writer import refuse_used_folder, write_store
from src.core.errors import StoreError
from src.core.stage import FAILED

# What may differ between stores that hold the same kind of vectors.
_INCIDENTAL = ("counts", "version", "weights_source")


def merge_stores(folders: Sequence[Path], out: Path) -> dict[str, Any]:
    """Write the tokens and manifests of all `folders`, in that order, to the new store `out`.

    Returns the new store's information. Raises StoreError when encoders or settings differ (each difference is
    named), when a key stands in more than one store (the keys are listed), when a part cannot be read, or when
    `out` exists.
    """
    refuse_used_folder(out)
    every = [read_store_information(folder) for folder in folders]
    for folder, information in zip(folders[1:], every[1:], strict=True):
        _refuse_differences(folders[0], every[0], folder, information)
    _refuse_repeated_keys(folders)
    information = {name: value for name, value in every[0].items() if name not in ("format", "counts")}
    information["counts"] = _sum_counts(folders)
    write_store(
        out,
        information,
        (table for folder in folders for table in read_token_parts(folder, information["dimension"])),
        (read_manifest_part(path) for folder in folders for path in part_paths(folder / MANIFEST_FOLDER)),
    )
    return information


def read_token_parts(folder: Path, dimension: int) -> Iterator[pa.Table]:
    """The token tables of a store, a part at a time. Raises StoreError that names the part."""
    schema = token_schema(dimension)
    for path in part_paths(folder / TOKEN_FOLDER):
        table = read_part(path)
        require_vectors(table, dimension, path, schema.names)
        yield table.select(schema.names).replace_schema_metadata(None).cast(schema)


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """One part. Raises StoreError that names it when it cannot be read."""
    try:
        return pq.read_table(path, columns=columns, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise unreadable_part(path, error) from error


def _information_differences(
    first: Mapping[str, Any], second: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, Any, Any]]:
    """Where two stores' information differs, as (dotted name, value there, value here); None where it is absent."""
    found: list[tuple[str, Any, Any]] = []
    names = {name for name in first.keys() | second.keys() if prefix or name not in _INCIDENTAL}
    for name in sorted(names):
        one, other = first.get(name), second.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += _information_differences(one, other, f"{prefix}{name}.")
        elif one != other:
            found.append((f"{prefix}{name}", one, other))
    return found


def _refuse_differences(
    first: Path, first_information: dict[str, Any], second: Path, second_information: dict[str, Any]
) -> None:
    differences = _information_differences(first_information, second_information)
    if differences:
        shown = "\n  ".join(
            f"{name}: {one!r} in {first}, {other!r} in {second}" for name, one, other in differences
        )
        raise StoreError(
            f"{first} and {second} were not made alike, so their vectors must not be mixed:\n  {shown}\n"
            "Extract one of them again with the encoder and the settings of the other."
        )


def _refuse_repeated_keys(folders: Sequence[Path]) -> None:
    owners: dict[str, Path] = {}
    repeated: list[str] = []
    for folder in folders:
        own = stored_keys(folder)
        repeated += [f"{key} (in {owners[key]} and {folder})" for key in own if key in owners]
        owners |= dict.fromkeys(own, folder)
    if repeated:
        shown = "\n  ".join(repeated[:10])
        more = f"\n  … and {len(repeated) - 10} more" if len(repeated) > 10 else ""
        raise StoreError(f"{len(repeated)} keys stand in more than one store:\n  {shown}{more}")


def stored_keys(folder: Path) -> list[str]:
    """Every key of a store's manifest and tokens, each once."""
    keys: dict[str, None] = {}
    for name in (MANIFEST_FOLDER, TOKEN_FOLDER):
        for path in part_paths(folder / name):
            keys |= dict.fromkeys(read_part(path, ["key"])["key"].to_pylist())
    return list(keys)


def read_manifest_part(path: Path) -> pa.Table:
    """One part of a store's manifest. Raises StoreError that names it when it is unreadable or lacks a column."""
    table = read_part(path)
    missing = [name for name in MANIFEST_SCHEMA.names if name not in table.column_names]
    if missing:
        raise StoreError(f"{path}: lacks the columns {', '.join(missing)}; run python -m features WORK again")
    return table.select(MANIFEST_SCHEMA.names).replace_schema_metadata(None).cast(MANIFEST_SCHEMA)


def manifest_counts(statuses: Sequence[str], reasons: Sequence[str]) -> dict[str, Any]:
    """How many sources have tokens, how many have none, and why: as store.json keeps it."""
    failures = Counter(reason for status, reason in zip(statuses, reasons, strict=True) if status == FAILED)
    return {"done": len(statuses) - failures.total(), "failed": failures.total(), "reasons": dict(failures)}


def _sum_counts(folders: Sequence[Path]) -> dict[str, Any]:
    statuses: list[str] = []
    reasons: list[str] = []
    for folder in folders:
        for path in part_paths(folder / MANIFEST_FOLDER):
            table = read_manifest_part(path)
            statuses += table["status"].to_pylist()
            reasons += table["reason"].to_pylist()
    return manifest_counts(statuses, reasons)
