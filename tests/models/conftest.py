"""Networks with the seeded weights of ../shared/data/golden, see its README."""

import pytest
import torch


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
