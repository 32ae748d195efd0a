"""Results of a benchmark on disk: the figures, the commit that they are of, and the machine that they were measured on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.core.files import write_json
from src.core.provenance import commit, hardware

ROOT = Path(__file__).resolve().parent.parent


def write_results(path: Path, figures: Mapping[str, Any]) -> None:
    """Write `figures` with their provenance as JSON, atomically."""
    write_json(path, {"commit": commit(), "hardware": hardware(), **figures})
