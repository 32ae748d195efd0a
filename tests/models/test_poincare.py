import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.models.poincare import poincare_distance, poincare_distance_matrix, to_poincare_ball


def test_map_equals_the_published_code(golden):
    arrays = golden("poincare_map_c0.05")
    points = to_poincare_ball(torch.from_numpy(arrays["x"]), 0.05)
    torch.testing.assert_close(points, torch.from_numpy(arrays["y"]), rtol=1e-5, atol=1e-7)


def test_map_by_hand():
    points = to_poincare_ball(torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e9, 0.0]]), 0.25)
    radius = math.tanh(2.5) / 0.5
    expected = torch.tensor([[0.6 * radius, 0.8 * radius], [0.0, 0.0], [0.999 / 0.5, 0.0]])
    torch.testing.assert_close(points, expected)


def test_distance_from_the_origin_by_hand():
    # from the origin d = 2/√c artanh(√c r)
    distance = poincare_distance(torch.zeros(2), torch.tensor([0.6, 0.0]), 1.0)
    assert distance.item() == pytest.approx(2 * math.atanh(0.6))


@given(seed=st.integers(0, 1000), curvature=st.floats(0.01, 2.0))
def test_distance_agrees_with_moebius_addition(seed, curvature):
    """d(x, y) = 2/√c artanh(√c ‖(−x) ⊕ y‖), Ganea et al., sect. 2.3: another way to the same number."""
    vectors = torch.randn(2, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x, y = to_poincare_ball(vectors, curvature)
    inner, xx, yy = -(x * y).sum(), x.square().sum(), y.square().sum()
    top = (1 + 2 * curvature * inner + curvature * yy) * -x + (1 - curvature * xx) * y
    added = top / (1 + 2 * curvature * inner + curvature**2 * xx * yy)
    expected = 2 / curvature**0.5 * torch.atanh(curvature**0.5 * added.norm())
    torch.testing.assert_close(poincare_distance(x, y, curvature), expected)


@given(seed=st.integers(0, 1000))
def test_distance_is_a_metric(seed):
    vectors = 3 * torch.randn(3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    a, b, c = to_poincare_ball(vectors, 0.5)
    assert poincare_distance(a, a, 0.5) == 0
    torch.testing.assert_close(poincare_distance(a, b, 0.5), poincare_distance(b, a, 0.5))
    assert poincare_distance(a, c, 0.5) <= poincare_distance(a, b, 0.5) + poincare_distance(b, c, 0.5) + 1e-9


def test_as_the_curvature_vanishes_it_is_twice_the_euclidean_distance():
    x, y = torch.tensor([0.3, -0.2]), torch.tensor([0.1, 0.9])
    torch.testing.assert_close(poincare_distance(x, y, 1e-8), 2 * (x - y).norm())


def test_gradients_are_finite_where_points_meet_and_at_the_origin():
    x = torch.zeros(2, 3, requires_grad=True)
    points = to_poincare_ball(x, 0.05)
    poincare_distance(points[0], points[1], 0.05).backward()
    assert torch.isfinite(x.grad).all()


def test_the_matrix_holds_every_pairs_distance():
    points = to_poincare_ball(torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), 0.5)
    x, y = points, points[:3].clone().requires_grad_()
    matrix = poincare_distance_matrix(x, y, 0.5)
    torch.testing.assert_close(matrix, poincare_distance(x[:, None], y[None], 0.5))
    matrix.sum().backward()
    assert torch.isfinite(y.grad).all()
