"""Weights of one byte a number."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from src.artifacts.byte_weights import from_bytes, to_bytes
from src.artifacts.checkpoints import load_checkpoint, save_checkpoint
from src.core.errors import CheckpointError


def test_a_row_by_hand():
    found = to_bytes(
        {"weight": torch.tensor([[1.27, -0.5, 0.004], [0.0, 0.0, 0.0]]), "bias": torch.tensor([0.3])}
    )
    assert found["weight"].tolist() == [[127, -50, 0], [0, 0, 0]]
    assert found["weight.scale"][0] == pytest.approx(0.01)
    assert found["bias"].dtype == torch.float32
    assert from_bytes(found)["weight"].tolist() == [pytest.approx([1.27, -0.5, 0.0]), [0, 0, 0]]


@given(st.integers(0, 1000), st.sampled_from([(5, 7), (3, 4, 5)]))
def test_rounding_is_half_a_step_of_the_row_at_most(seed, shape):
    stream = torch.Generator().manual_seed(seed)
    weights = torch.randn(shape, generator=stream) * torch.rand(shape[0], generator=stream).view(
        -1, *[1] * (len(shape) - 1)
    )
    back = from_bytes(to_bytes({"w": weights}))
    assert list(back) == ["w"]
    steps = weights.abs().flatten(1).amax(dim=1) / 127
    assert ((back["w"] - weights).abs().flatten(1).amax(dim=1) <= 0.5001 * steps).all()


def test_a_checkpoint_gives_numbers_back(tmp_path):
    weights = {"w": torch.tensor([[1.27, -0.5]])}
    save_checkpoint(tmp_path, to_bytes(weights), {}, {})
    assert load_checkpoint(tmp_path).weights["w"].tolist() == [pytest.approx([1.27, -0.5])]


@pytest.mark.parametrize("scales", [{}, {"w.scale": torch.ones(3)}])
def test_missing_and_wrong_scales_are_a_damaged_checkpoint(tmp_path, scales):
    save_checkpoint(tmp_path, {}, {}, {})
    save_file({"w": torch.ones(2, 2, dtype=torch.int8), **scales}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="scales of w"):
        load_checkpoint(tmp_path)
