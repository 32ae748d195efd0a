"""Writing a whole store at once: few parts of many tokens, `store.json` last, so that a folder with it is a whole store."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from src.artifacts.embedding_store import (
    INFORMATION_FILE,
    MANIFEST_FOLDER,
    TOKEN_FOLDER,
    write_store_information,
)
from src.core.errors import StoreError
from src.core.files import atomic_path

PART_BYTES = 1 << 26  # few enough parts to open quickly, small enough to hold one a thread beside the vectors
_ROW_GROUP_BYTES = 1 << 22


def write_store(
    folder: Path, information: dict[str, Any], tokens: Iterable[pa.Table], manifests: Iterable[pa.Table]
) -> None:
    """Write a store of token tables and manifest tables, which are gathered into parts of about 64 MiB.

    A key's tokens must stand in one table. Raises StoreError when `folder` holds anything already.
    """
    refuse_used_folder(folder)
    for name, tables in ((TOKEN_FOLDER, tokens), (MANIFEST_FOLDER, manifests)):
        for number, table in enumerate(_gather(tables)):
            row_bytes = max(1, table.nbytes // max(1, len(table)))
            with atomic_path(folder / name / f"part-{number:05d}.parquet") as temporary:
                pq.write_table(
                    table,
                    temporary,
                    compression="zstd",
                    use_dictionary=[field.name for field in table.schema if field.type == pa.string()],
                    row_group_size=max(1, _ROW_GROUP_BYTES // row_bytes),
                )
    write_store_information(folder, information)


def refuse_used_folder(folder: Path) -> None:
    """Raise StoreError when a store, or anything else, is in the way."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "a store" if (folder / INFORMATION_FILE).is_file() else "something that is not a whole store"
        raise StoreError(f"{folder}: holds {what} already; give another --out, or remove it first")


def _gather(tables: Iterable[pa.Table]) -> Iterable[pa.Table]:
    """Tables joined until each is about PART_BYTES; an empty input gives nothing."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(part.nbytes for part in waiting) >= PART_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
