"""A benchmark in sections: measure those that are asked for, print the table, write the results."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.results_file import write_results
from benchmarks.speech_table import Row, format_table

LOGGER = logging.getLogger(__name__)
Benchmark = TypeVar("Benchmark")


def measure_sections(
    sections: Mapping[str, Callable[[Benchmark], dict[str, Any]]], wanted: Sequence[str], benchmark: Benchmark
) -> dict[str, Any]:
    """Figures of the wanted sections, by their names."""
    figures: dict[str, Any] = {}
    for name in wanted:
        LOGGER.info("measuring: %s", name.replace("_", " "))
        figures[name] = sections[name](benchmark)
    return figures


def report_sections(rows: Iterable[Row], figures: Mapping[str, Any], out: Path | None) -> None:
    """Print the table, and write it with the figures where there is a place for them."""
    rows = list(rows)
    print(format_table(rows))
    if out:
        write_results(out, {"rows": [asdict(row) for row in rows], "figures": figures})
