import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from src.losses.equilibrium import CROSS_CONSTANT, INTRA_CONSTANT, EquilibriumLoss


def rivals_of(size):
    return ~torch.eye(size, dtype=torch.bool)


def test_by_hand():
    # anchor 0: own 1, rival 0.5; anchor 1: own 0, rival 0.5; τ = 0.5, c = 2
    similarity = torch.tensor([[1.0, 0.5], [0.5, 0.0]])
    expected = torch.tensor([math.log(2 + math.exp(-1.0)), math.log(2 + math.exp(1.0))])
    torch.testing.assert_close(EquilibriumLoss(2.0)(similarity, rivals_of(2)), expected)


@pytest.mark.parametrize(
    ("name", "constant"), [("aasm_cross", CROSS_CONSTANT), ("aasm_intra", INTRA_CONSTANT)]
)
def test_equals_the_published_code(golden, name, constant):
    arrays = golden(name)
    similarity = arrays["v"] @ F.normalize(arrays["x"], dim=1).T  # the release's anchors keep their length
    loss = EquilibriumLoss(constant)(similarity, rivals_of(len(similarity)))
    torch.testing.assert_close(loss, arrays["loss"], rtol=1e-5, atol=0)


@given(seed=st.integers(0, 1000))
def test_with_one_as_constant_it_is_the_cross_entropy(seed):
    similarity = torch.randn(6, 6, generator=torch.Generator().manual_seed(seed))
    expected = F.cross_entropy(similarity / 0.5, torch.arange(6), reduction="none")
    torch.testing.assert_close(EquilibriumLoss(1.0)(similarity, rivals_of(6)), expected)


def test_a_larger_constant_weakens_anchors_that_are_already_right():
    def share_of_gradient(constant):
        similarity = torch.tensor([[1.0, -1.0], [1.0, -1.0]], requires_grad=True)  # right, wrong
        EquilibriumLoss(constant)(similarity, rivals_of(2)).sum().backward()
        right, wrong = similarity.grad.diagonal().abs()
        return right / wrong

    assert share_of_gradient(CROSS_CONSTANT) < share_of_gradient(1.0)


def test_namesakes_are_no_rivals():
    similarity = torch.tensor([[0.2, 0.9], [0.9, 0.2]])
    loss = EquilibriumLoss(3.0)(similarity, torch.zeros(2, 2, dtype=torch.bool))
    torch.testing.assert_close(loss, torch.full((2,), math.log(3.0)))


def test_every_anchor_has_a_gradient_and_large_numbers_stay_finite():
    similarity = torch.randn(5, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    EquilibriumLoss(CROSS_CONSTANT)(similarity, rivals_of(5)).sum().backward()
    assert (similarity.grad.abs() > 1e-6).all()
    assert torch.isfinite(EquilibriumLoss(CROSS_CONSTANT)(1e4 * similarity, rivals_of(5))).all()


def test_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="must be positive"):
        EquilibriumLoss(0.0)
    with pytest.raises(ValueError, match="one square"):
        EquilibriumLoss(1.0)(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.bool))
