"""The parts of a stage on disk: what is committed, with which fingerprint; committing one; reading them all.

    FOLDER/<table>/part-00000.parquet   tables of a part, `manifest` last
    FOLDER/parts.jsonl                  a line a part: fingerprint and counts

A part is committed when its manifest is there. The fingerprint of its records and settings stands in the manifest; the
journal `parts.jsonl` repeats it, so that a run over millions of rows need not open every part to know what is done. The
journal is never believed where it could be wrong: a part is struck from it, and its manifest removed, before a
worker touches what belongs to it, so a line is there for exactly the manifest that lies beside it; a manifest without a line is
opened.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from src.core.files import atomic_path, explained_output, write_text

COMMIT_TABLE = "manifest"
JOURNAL_FILE = "parts.jsonl"
DONE, FAILED = "done", "failed"
_FINGERPRINT = b"voxface.part_fingerprint"


@dataclass(frozen=True)
class PartCounts:
    """Rows of a part: `done`, and failed ones by reason."""

    done: int
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All of them."""
        return self.done + sum(self.failures.values())


@dataclass(frozen=True)
class _Entry:
    fingerprint: str
    counts: PartCounts

    def line(self, index: int) -> str:
        content = {"part": index, "fingerprint": self.fingerprint, "done": self.counts.done}
        return json.dumps(content | {"failures": dict(self.counts.failures)}) + "\n"


class PartStore:
    """The parts in one folder. Only the process that holds the folder's lock writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        there = _part_numbers(folder / COMMIT_TABLE)
        self._there = there
        self._entries = {
            index: entry for index, entry in read_journal(folder / JOURNAL_FILE).items() if index in there
        }

    @property
    def committed(self) -> dict[int, PartCounts]:
        """Counts of each part that the journal knows."""
        return {index: entry.counts for index, entry in self._entries.items()}

    def reusable(self, index: int, fingerprint: str) -> PartCounts | None:
        """Counts of a part that is committed with this fingerprint; None when it has to be run."""
        if index not in self._there:
            return None
        if index not in self._entries:
            entry = _read_entry(part_path(self.folder, COMMIT_TABLE, index))
            if entry is None:
                return None
            self._entries[index] = entry
        entry = self._entries[index]
        return entry.counts if entry.fingerprint == fingerprint else None

    def invalidate(self, index: int) -> None:
        """Forget a part before it is run anew, so that old and new tables are never taken for one part."""
        if index in self._entries:
            self._append(json.dumps({"part": index}) + "\n", durable=True)
            del self._entries[index]
        if index in self._there:
            self._remove(part_path(self.folder, COMMIT_TABLE, index))
            self._there.discard(index)

    def commit(self, index: int, tables: Mapping[str, pa.Table], fingerprint: str) -> PartCounts:
        """Write the tables of a part, its manifest last. Raises OutputError when that is not possible."""
        for name in sorted(tables, key=lambda name: name == COMMIT_TABLE):
            table = tables[name]
            metadata = {**(table.schema.metadata or {}), _FINGERPRINT: fingerprint.encode("ascii")}
            with atomic_path(part_path(self.folder, name, index)) as temporary:
                pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")
        entry = _Entry(fingerprint, count_rows(tables[COMMIT_TABLE]))
        self._there.add(index)
        self._entries[index] = entry
        self._append(entry.line(index))
        return entry.counts

    def remove_from(self, part_count: int) -> None:
        """Remove the parts of a former, longer run."""
        for path in self.folder.glob("*/part-*.parquet"):
            index = _number(path.name)
            if index is not None and index >= part_count:
                self._remove(path)
                self._there.discard(index)
                self._entries.pop(index, None)

    def tidy(self) -> None:
        """Write the journal in part order, so that it, too, depends on the parts alone."""
        lines = "".join(self._entries[index].line(index) for index in sorted(self._entries))
        path = self.folder / JOURNAL_FILE
        if not path.is_file() or path.read_text(encoding="utf-8") != lines:
            write_text(path, lines)

    def _remove(self, path: Path) -> None:
        with explained_output(path):
            path.unlink()

    def _append(self, line: str, *, durable: bool = False) -> None:
        path = self.folder / JOURNAL_FILE
        with explained_output(path), path.open("a", encoding="utf-8") as stream:
            stream.write(line)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())


def part_path(folder: Path, table: str, index: int) -> Path:
    """Where a table of a part lies."""
    return folder / table / f"part-{index:05d}.parquet"


def fingerprint_of(records: Sequence[Any], settings: str) -> str:
    """The sha256 of a part's records and of its stage's settings (as `encoded_settings` gives them), in hexadecimal.

    Records are dataclasses, or what JSON knows.
    """
    listed: list[Any] = list(records)
    kinds: set[Any] = set(map(type, listed))
    if len(kinds) == 1 and _has_fields(kind := kinds.pop()):
        listed = list(map(_values_of(kind), listed))  # at once, since there may be millions
    content = settings + "\n" + json.dumps(listed, default=_plain)
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def encoded_settings(settings: Mapping[str, Any]) -> str:
    """Settings as one text, the same for equal settings."""
    return json.dumps(settings, sort_keys=True, default=str)


def count_rows(manifest: pa.Table) -> PartCounts:
    """Counts of a manifest's rows by status and reason."""
    failures: dict[str, int] = {}
    statuses, reasons = manifest["status"].to_pylist(), manifest["reason"].to_pylist()
    for status, reason in zip(statuses, reasons, strict=True):
        if status == FAILED:
            failures[reason] = failures.get(reason, 0) + 1
    return PartCounts(len(statuses) - sum(failures.values()), dict(sorted(failures.items())))


def read_parts(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All parts of one table folder, in part order."""
    paths = sorted(folder.glob("part-*.parquet"), key=lambda path: (len(path.name), path.name))
    if not paths:
        raise FileNotFoundError(folder)
    parts = pyarrow.dataset.dataset([str(path) for path in paths], format="parquet")
    return parts.to_table(columns=None if columns is None else list(columns))


def read_journal(path: Path) -> dict[int, _Entry]:
    """The last line of each part; lines that a kill cut off count for nothing."""
    entries: dict[int, _Entry] = {}
    if not path.is_file():
        return entries
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            content = json.loads(line)
            index = int(content["part"])
            entries.pop(index, None)
            if "fingerprint" in content:
                counts = PartCounts(int(content["done"]), dict(content["failures"]))
                entries[index] = _Entry(str(content["fingerprint"]), counts)
    return entries


def _plain(record: Any) -> Any:
    """What JSON makes of a record: the values of its fields, or its text."""
    kind: Any = type(record)
    return _values_of(kind)(record) if _has_fields(kind) else str(record)


def _has_fields(kind: Any) -> bool:
    return is_dataclass(kind)


@cache
def _values_of(kind: Any) -> Callable[[Any], Any]:
    return attrgetter(*(one.name for one in fields(kind)))


def _part_numbers(folder: Path) -> set[int]:
    if not folder.is_dir():
        return set()
    numbers = map(_number, _names(folder))
    return {number for number in numbers if number is not None}


def _names(folder: Path) -> Iterable[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _number(name: str) -> int | None:
    digits = name.removeprefix("part-").removesuffix(".parquet")
    return int(digits) if digits.isdecimal() and name == f"part-{digits}.parquet" else None


def _read_entry(path: Path) -> _Entry | None:
    """What a manifest itself says; None for one that cannot be read or was not committed here."""
    try:
        table = pq.read_table(path, columns=["status", "reason"])
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError):
        return None
    fingerprint = (table.schema.metadata or {}).get(_FINGERPRINT)
    return _Entry(fingerprint.decode("ascii"), count_rows(table)) if fingerprint else None
