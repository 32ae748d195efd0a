"""Equilibrium loss: a softmax over rivals whose pull fades before a pair is perfect.

    L_i = log(c + Σ_j exp((s_ij − s_ii) / τ)),   j: rows of other people than i,   τ = 0.5

The cross-entropy is c = 1. A larger c weakens the gradient of an anchor whose rivals are already behind, and keeps
that of the others: noisy pairs near the optimum no longer rule. As released c = 1 + 3.4 + 1 between modalities and
2 + 3 + 1 within one, where the last 1 is the pair itself, whose exponential is in the release's sum.

Source: AaSM, "Taking a Part for the Whole: An Archetype-agnostic Framework for Voice-Face Association", ACM MM 2023.
"""

import math

import torch
from torch import Tensor, nn

CROSS_CONSTANT = 5.4
INTRA_CONSTANT = 6.0


class EquilibriumLoss(nn.Module):
    """Equilibrium loss of every anchor.

    constant: c. temperature: τ.
    """

    def __init__(self, constant: float, temperature: float = 0.5) -> None:
        super().__init__()
        if constant <= 0 or temperature <= 0:
            raise ValueError(f"constant={constant} and temperature={temperature} must be positive")
        self.constant, self.temperature = constant, temperature

    def forward(self, similarity: Tensor, rivals: Tensor) -> Tensor:
        """The loss of each anchor, (n,).

        similarity: float (n, n), anchors in rows, the matching pairs on the diagonal; higher = same person.
        rivals: bool (n, n), pairs of different people.
        """
        if (
            similarity.ndim != 2
            or similarity.shape[0] != similarity.shape[1]
            or rivals.shape != similarity.shape
        ):
            raise ValueError(
                f"similarity {tuple(similarity.shape)} and rivals {tuple(rivals.shape)} must be one square"
            )
        ahead = (similarity - similarity.diagonal()[:, None]) / self.temperature
        constant = ahead.new_full((len(ahead), 1), math.log(self.constant))
        return torch.cat([constant, ahead.masked_fill(~rivals, -math.inf)], dim=1).logsumexp(1)
