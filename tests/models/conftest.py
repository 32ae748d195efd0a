"""Networks with the seeded weights of ../shared/data/golden, see its README."""

from pathlib import Path

import numpy as np
import pytest
import torch

GOLDEN = Path(__file__).resolve().parents[2] / "../shared/data/golden/published_methods.npz"


@pytest.fixture
def golden():
    """The arrays of one published method, by their names."""
    if not GOLDEN.exists():
        pytest.skip("../shared/data/golden is absent")

    def read(method):
        with np.load(GOLDEN) as arrays:
            return {
                name.removeprefix(f"{method}/"): arrays[name]
                for name in arrays.files
                if name.startswith(f"{method}/")
            }

    return read


@pytest.fixture
def fill_from_seed():
    """Put the weights that the README describes into a network, after a check of all names and shapes."""

    def fill(network, arrays):
        state = network.state_dict()
        listed = sorted(f"{name} {tuple(tensor.shape)}" for name, tensor in state.items())
        assert sorted(arrays["keys"].tolist()) == listed
        stream = torch.Generator().manual_seed(int(arrays["weights_seed"]))
        for name in sorted(state):
            if name.startswith("torchfbank"):
                continue
            if not state[name].is_floating_point():
                state[name].zero_()
                continue
            values = torch.randn(state[name].shape, generator=stream) * 0.05
            state[name].copy_(0.5 + 10 * values.abs() if name.endswith("running_var") else values)
        return network.eval()

    return fill
