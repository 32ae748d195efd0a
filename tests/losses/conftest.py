"""Numbers of the published losses, as tensors."""

import numpy as np
import pytest
import torch


@pytest.fixture
def golden(golden):
    """The arrays of one published method, by their names, as tensors."""
    return lambda method: {
        name: torch.from_numpy(np.asarray(array)) for name, array in golden(method).items()
    }
