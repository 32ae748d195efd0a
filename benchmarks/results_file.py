"""Results of a benchmark on disk: the figures, the commit that they are of, and the machine that they were measured on."""

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from src.core.files import write_json

ROOT = Path(__file__).resolve().parent.parent


def write_results(path: Path, figures: Mapping[str, Any]) -> None:
    """Write `figures` with their provenance as JSON, atomically."""
    write_json(path, {"commit": _commit(), "hardware": _hardware(), **figures})


def _commit() -> str:
    """The commit, marked where anything but former results differs from it."""
    commit = _git("rev-parse", "--short", "HEAD")
    changes = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return f"{commit or 'unknown'}{' with changes' if changes else ''}"


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def _hardware() -> dict[str, Any]:
    information = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (information.read_text(encoding="utf-8").splitlines() if information.is_file() else [])
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
    }
