"""The Poincaré ball of curvature −c: vectors into it, and the distance of points in it.

    exp_0(x) = tanh(√c ‖x‖) x / (√c ‖x‖),   kept within ‖·‖ ≤ (1 − 10⁻³) / √c
    d(x, y) = 2/√c · arsinh(√c ‖x − y‖ / √((1 − c‖x‖²)(1 − c‖y‖²)))

Sources: Ganea, Bécigneul, Hofmann, "Hyperbolic Neural Networks", NeurIPS 2018, sect. 2; the distance is Nickel and Kiela,
"Poincaré Embeddings", NeurIPS 2017, eq. 1, for any c and with arcosh(1 + 2u²) = 2 arsinh u, which keeps its
precision where the points are near each other.
"""

import torch
from torch import Tensor

SMALLEST_NORM = 1e-5
BORDER = 1e-3


def to_poincare_ball(vectors: Tensor, curvature: float) -> Tensor:
    """exp_0: (..., d) → (..., d), inside the ball. curvature: c, positive; the ball's radius is 1/√c."""
    root = curvature**0.5
    norm = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp_min(SMALLEST_NORM)
    radius = (torch.tanh(root * norm) / root).clamp_max((1.0 - BORDER) / root)
    return vectors / norm * radius


def poincare_distance(x: Tensor, y: Tensor, curvature: float) -> Tensor:
    """d: points (..., d) and (..., d) inside the ball, of shapes that broadcast → (...)."""
    apart = torch.linalg.vector_norm(x - y, dim=-1)
    return _from_euclidean(apart, x.square().sum(-1), y.square().sum(-1), curvature)


def poincare_distance_matrix(x: Tensor, y: Tensor, curvature: float) -> Tensor:
    """d of every point of x and every point of y, without their differences in memory: (n, d), (m, d) → (n, m)."""
    # the quicker form, over dot products, has no digits left where points are near each other
    apart = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return _from_euclidean(apart, x.square().sum(-1)[:, None], y.square().sum(-1)[None], curvature)


def _from_euclidean(apart: Tensor, x_squared: Tensor, y_squared: Tensor, curvature: float) -> Tensor:
    inside = (1.0 - curvature * x_squared) * (1.0 - curvature * y_squared)
    return 2.0 / curvature**0.5 * torch.asinh(curvature**0.5 * apart / inside.sqrt())
