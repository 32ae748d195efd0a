"""Numbers of the published implementations, where ../shared/data/golden is there."""

from pathlib import Path

import numpy as np
import pytest
import torch

GOLDEN = Path(__file__).resolve().parents[2] / "../shared/data/golden/published_methods.npz"


@pytest.fixture
def golden():
    """The arrays of one published method, by their names, as tensors."""
    if not GOLDEN.exists():
        pytest.skip("../shared/data/golden is absent")

    def read(method):
        with np.load(GOLDEN) as arrays:
            return {
                name.removeprefix(f"{method}/"): torch.from_numpy(np.asarray(arrays[name]))
                for name in arrays.files
                if name.startswith(f"{method}/")
            }

    return read
