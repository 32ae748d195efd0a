"""The same bits from every run on one type of machine, on a GPU too: `--deterministic`.

A processor's sums are the same from run to run as they are. A GPU's are not where a library picks the quickest of several
algorithms, or where threads add to one number in the order in which they arrive. Here PyTorch is told to take none of those:
https://docs.pytorch.org/docs/stable/notes/randomness.html
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

Worker = TypeVar("Worker")
# memory of fixed size for cuBLAS, which otherwise shares it out by timing; one of the two values that NVIDIA names
_CUBLAS_VARIABLE, _CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"


def add_deterministic_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--deterministic`; where it is given, call `compute_deterministically` before anything is computed."""
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same bits from every run on one type of GPU, as on a processor anyway. Costs speed, mostly of training, "
        "and some 25 MB of the GPU's memory; what can only be computed otherwise is an error, and what an earlier run left "
        "finished is not computed anew",
    )


def compute_deterministically() -> None:
    """From here on, for this process: no algorithm whose result depends on timing.

    An operation that has no other raises RuntimeError, which names it. Call it before the GPU is used.
    """
    os.environ[_CUBLAS_VARIABLE] = _CUBLAS_WORKSPACE
    import torch  # takes seconds, which commands that compute nothing need not wait for

    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def is_deterministic() -> bool:
    """Whether `compute_deterministically` was called."""
    if "torch" not in sys.modules:
        return False
    import torch

    return torch.are_deterministic_algorithms_enabled()


def as_here(make_worker: Callable[[], Worker]) -> Callable[[], Worker]:
    """`make_worker` for another process, whose workers compute deterministically where this process does."""
    return partial(_make_deterministic, make_worker) if is_deterministic() else make_worker


def _make_deterministic(make_worker: Callable[[], Worker]) -> Worker:
    compute_deterministically()
    return make_worker()
