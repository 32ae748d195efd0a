"""How long an embedding store of 1.2 million tokens takes to open, and how much memory.

    python -m benchmarks.store_reading --out benchmarks/results/store_reading.json

Each store is opened in a process of its own, with its files in the page cache, after a first reading of all their
bytes; the seconds of that reading plus those of one copy of the vectors in memory are the bound.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.process_memory import peak_bytes, resident_bytes
from benchmarks.results_file import write_results
from src.artifacts.embedding_store import (
    TOKEN_FOLDER,
    WHOLE,
    WINDOW,
    EmbeddingStore,
    token_table_of_columns,
    write_store_information,
)
from src.artifacts.store_merge import merge_stores
from src.artifacts.store_reading import part_paths

TOKENS, DIMENSION = 1_200_000, 192
_LOOKED_UP = 10_000


@dataclass(frozen=True)
class Layout:
    """How many tokens a medium has, and how many media a part."""

    tokens_per_medium: int
    media_per_part: int


LAYOUTS = {"recordings of 12 tokens": Layout(12, 64), "media of one token": Layout(1, 128)}


def main() -> None:
    """Measure, print and write the results; or, with --open, open one store and print what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--open", type=Path, metavar="STORE", help="open one store in this process")
    parser.add_argument("--out", type=Path, help="write the results there")
    parser.add_argument("--tokens", type=int, default=TOKENS)
    options = parser.parse_args()
    if options.open is not None:
        print(json.dumps(open_store(options.open)))
        return
    figures = {"tokens": options.tokens, "dimension": DIMENSION, "stores": measure_layouts(options.tokens)}
    for row in figures["stores"]:
        print(
            f"{row['store']}: {row['parts']} parts, {row['seconds']:.2f} s (bound {row['bound_seconds']:.2f} s), "
            f"{row['growth_bytes'] / row['vector_bytes']:.2f} times the vectors' size, "
            f"with {_LOOKED_UP} keys looked up {row['lookup_growth_bytes'] / row['vector_bytes']:.2f} times"
        )
    if options.out is not None:
        write_results(options.out, figures)


def measure_layouts(tokens: int) -> list[dict[str, Any]]:
    """Each layout as an extraction writes it, and merged into few parts."""
    rows = []
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            store, merged = Path(folder) / "store", Path(folder) / "merged"
            write_layout(store, layout, tokens)
            rows.append({"store": name, **measure(store)})
            merge_stores([store], merged)
            rows.append({"store": f"{name}, merged", **measure(merged)})
    return rows


def measure(store: Path) -> dict[str, Any]:
    """Open a store in a fresh process."""
    paths = part_paths(store / TOKEN_FOLDER)
    started = time.perf_counter()
    file_bytes = sum(len(path.read_bytes()) for path in paths)
    bound_seconds = time.perf_counter() - started
    command = [sys.executable, "-m", "benchmarks.store_reading", "--open", str(store)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    bound_seconds += found.pop("copy_seconds")
    return {"parts": len(paths), "file_bytes": file_bytes, "bound_seconds": bound_seconds, **found}


def open_store(folder: Path) -> dict[str, Any]:
    """Seconds and bytes of opening a store, then of looking up keys, then seconds of a plain copy of its vectors."""
    before = resident_bytes()
    started, cpu_started = time.perf_counter(), time.process_time()
    store = EmbeddingStore.open(folder)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    growth = peak_bytes() - before
    keys = store.items.index[:: max(1, len(store.items) // _LOOKED_UP)].tolist()
    started = time.perf_counter()
    store.require(keys)
    lookup_seconds = time.perf_counter() - started
    lookup_growth = peak_bytes() - before
    started = time.perf_counter()
    store.vectors.copy()
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "lookup_seconds": lookup_seconds,
        "growth_bytes": growth,
        "lookup_growth_bytes": lookup_growth,
        "vector_bytes": store.vectors.nbytes,
        "copy_seconds": time.perf_counter() - started,
    }


def write_layout(folder: Path, layout: Layout, tokens: int) -> None:
    """A store of random vectors in parts as an extraction writes them, without a manifest."""
    (folder / TOKEN_FOLDER).mkdir(parents=True)
    for number, table in enumerate(_tables(layout, tokens)):
        pq.write_table(table, folder / TOKEN_FOLDER / f"part-{number:05d}.parquet", compression="zstd")
    write_store_information(folder, {"modality": "voice", "encoder": "random", "dimension": DIMENSION})


def _tables(layout: Layout, tokens: int) -> Iterator[pa.Table]:
    random = np.random.default_rng(0)
    media = tokens // layout.tokens_per_medium
    for first in range(0, media, layout.media_per_part):
        numbers = np.arange(first, min(first + layout.media_per_part, media))
        columns = {
            "key": [f"voices/id{n // 150:05d}/English/video{n // 20:07d}/{n % 20:05d}.wav" for n in numbers],
            "identity": [f"id{n // 150:05d}" for n in numbers],
            "language": ["English"] * len(numbers),
            "video": [f"video{n // 20:07d}" for n in numbers],
            "split": ["train"] * len(numbers),
        }
        repeated: dict[str, Any] = {
            name: np.repeat(np.array(texts, object), layout.tokens_per_medium)
            for name, texts in columns.items()
        }
        indices = np.tile(np.arange(layout.tokens_per_medium), len(numbers))
        repeated["token_index"] = indices
        repeated["token_kind"] = np.where(indices == 0, WHOLE, WINDOW).astype(object)
        repeated["quality"] = np.full(len(indices), 2.0)
        yield token_table_of_columns(repeated, random.standard_normal((len(indices), DIMENSION), np.float32))


if __name__ == "__main__":
    main()
