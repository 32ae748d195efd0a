import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from src.core.errors import WeightsError
from src.encoders.state_files import fill_network, part_of_state, read_state


class CarriesCode:
    """A pickle that would write a file when it is read."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_a_pickle_that_carries_code_is_not_run(tmp_path):
    path, trace = tmp_path / "bad.ckpt", tmp_path / "trace"
    torch.save({"weight": CarriesCode(trace)}, path)
    with pytest.raises(WeightsError, match="carries code"):
        read_state(path)
    path.write_bytes(pickle.dumps(CarriesCode(trace), protocol=2))
    with pytest.raises(WeightsError, match="carries code"):
        read_state(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # it would have
    assert trace.exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, share):
    path = tmp_path / "cut.ckpt"
    torch.save(nn.Linear(64, 64).state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match="cut short"):
        read_state(path)


def test_noise_is_refused(tmp_path):
    path = tmp_path / "noise.pt"
    path.write_bytes(os.urandom(4096))
    with pytest.raises(WeightsError, match="not readable"):
        read_state(path)


def test_what_is_no_state_dict_is_refused(tmp_path):
    for content in ([1, 2], {"epoch": 3}):
        torch.save(content, tmp_path / "other.ckpt")
        with pytest.raises(WeightsError, match="state dict"):
            read_state(tmp_path / "other.ckpt")


def test_keys_and_shapes_that_do_not_fit_are_named():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = network.state_dict()
    del state["0.bias"]
    state["0.weight"] = torch.zeros(2, 4)
    state["head.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError) as caught:
        fill_network(network, state, Path("some.ckpt"))
    message = str(caught.value)
    assert "1 missing: 0.bias" in message
    assert "1 superfluous: head.weight" in message
    assert "0.weight is (2, 4) instead of (2, 3)" in message


def test_counters_may_be_absent_and_named_extras_are_left_out():
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = {name: torch.full_like(value, 3) for name, value in network.state_dict().items()}
    del state["1.num_batches_tracked"]
    state["logits.weight"] = torch.zeros(9)
    fill_network(network, state, Path("some.ckpt"), unused=("logits.weight",))
    assert (network[0].weight == 3).all()


def test_a_part_of_a_larger_model_is_taken_out_and_the_unknown_stays():
    one = torch.ones(1)
    whole = {"speaker.a": one, "speaker.b.c": one, "fusion.x": one, "stray": one}
    assert part_of_state(whole, "speaker.", ("fusion.",)).keys() == {"a", "b.c", "stray"}
    assert part_of_state({"a": one, "fusion.x": one}, "speaker.", ("fusion.",)).keys() == {"a", "fusion.x"}
