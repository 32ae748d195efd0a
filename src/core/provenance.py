"""Of what code, with what packages and on what machine something was made."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from src.core.run_log import without_secrets

ROOT = Path(__file__).resolve().parents[2]


def commit() -> str:
    """The commit of the project, marked where anything but former results differs from it; "unknown" without git."""
    revision = _git("rev-parse", "--short", "HEAD")
    changes = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return f"{revision or 'unknown'}{' with changes' if changes else ''}"


def hardware() -> dict[str, Any]:
    """Processor, usable cores, GPU and PyTorch."""
    import torch  # takes seconds, and not everything that imports core needs it

    information = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (information.read_text(encoding="utf-8").splitlines() if information.is_file() else [])
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
    }


def environment() -> dict[str, Any]:
    """What a run has to say to be repeated: commit, command (no secrets), interpreter, system, hardware, packages."""
    packages = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    return {
        "commit": commit(),
        "command": [without_secrets(word) for word in sys.argv],
        "python": platform.python_version(),
        "system": platform.platform(),
        "hardware": hardware(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _git(*arguments: str) -> str:
    try:
        finished = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return finished.stdout.strip()
