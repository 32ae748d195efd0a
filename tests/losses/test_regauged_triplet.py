import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.losses.regauged_triplet import RegaugedTripletLoss, mean_of_directions, mean_of_mined


def rivals_of(size):
    return ~torch.eye(size, dtype=torch.bool)


def direction(degrees):
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def test_by_hand():
    # Anchor 0 at 0°, its own candidate at 60° (s = 0.5), a rival at 90° (s = 0): 0 − 0.5 + 0.2 < 0, nothing is kept.
    # Anchor 1 at 90°, its own candidate at 90° (s = 1), the rival at 60° (s = √3/2 = h): √3/2 − 1 + 0.2 is kept;
    # re-gauging: h + 0.15 − 1, and s − h + 0.15 = 0.15.
    anchors = torch.tensor([direction(0), direction(90)])
    candidates = 3.0 * torch.tensor([direction(60), direction(90)])
    root = math.sqrt(3.0) / 2.0
    expected = torch.tensor([0.0, (root - 0.8) + (root - 0.85) + 0.15])
    torch.testing.assert_close(RegaugedTripletLoss()(anchors, candidates, rivals_of(2)), expected)


def test_an_anchor_unlike_its_own_pair_is_left_out():
    anchors = torch.tensor([direction(0), direction(0)])
    candidates = torch.tensor([direction(85), direction(10)])  # cos 85° = 0.087
    mined = RegaugedTripletLoss()(anchors, candidates, rivals_of(2))
    assert mined[0] == 0
    assert RegaugedTripletLoss(least_similarity=0.05)(anchors, candidates, rivals_of(2))[0] > 0


@pytest.mark.parametrize("name", ["aasm_cross", "aasm_intra"])
def test_equals_the_published_code(golden, name):
    arrays = golden(name)
    mined = RegaugedTripletLoss()(arrays["v"], arrays["x"], rivals_of(len(arrays["x"])))
    torch.testing.assert_close(mined, arrays["triplet"].squeeze(1), rtol=1e-5, atol=1e-7)


def test_the_gradient_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(3)
    anchors = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    candidates = (anchors + torch.randn(6, 4, generator=generator, dtype=torch.float64)).requires_grad_()
    anchors.requires_grad_()
    assert (RegaugedTripletLoss()(anchors, candidates, rivals_of(6)) > 0).any()
    assert torch.autograd.gradcheck(
        lambda a, c: RegaugedTripletLoss()(a, c, rivals_of(6)).sum(), (anchors, candidates)
    )


@given(seed=st.integers(0, 1000))
def test_rivals_that_are_namesakes_never_count(seed):
    generator = torch.Generator().manual_seed(seed)
    anchors, candidates = torch.randn(2, 5, 3, generator=generator)
    assert not RegaugedTripletLoss()(anchors, candidates, torch.zeros(5, 5, dtype=torch.bool)).any()


def test_means_over_what_was_mined():
    there, back = torch.tensor([1.0, 0.0, 2.0, 0.0]), torch.tensor([3.0, 5.0, 0.0, 0.0])
    mined = mean_of_directions(there, back)
    torch.testing.assert_close(mined, torch.tensor([2.0, 5.0, 2.0, 0.0]))
    weights = torch.tensor([0.5, 1.0, 2.0, 7.0])
    assert mean_of_mined(mined, weights).item() == pytest.approx((1.0 + 5.0 + 4.0) / 3)
    assert mean_of_mined(torch.zeros(4), weights).item() == 0.0


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="of one shape"):
        RegaugedTripletLoss()(torch.zeros(2, 3), torch.zeros(2, 4), rivals_of(2))
