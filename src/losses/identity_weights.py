"""Weights of training identities by how hard they are: those of a middling difficulty count most.

    ρ_k = correct comparisons / comparisons of identity k's anchors since the last refresh
    w_k = density at ρ_k of N(mean ρ − std ρ, std ρ)

An anchor's comparison with a rival is correct when the rival is less similar than the anchor's own pair. Identities that
are always right have nothing left to teach, those that are mostly wrong are probably mislabelled; between them, one
standard deviation below the mean, the weight is largest.

Source: AaSM, "Taking a Part for the Whole: An Archetype-agnostic Framework for Voice-Face Association", ACM MM 2023. The
release never feeds the counts, so that its ratio is 0/0 and its weights turn NaN at the first refresh; here they are fed.
"""

import math

import torch
from torch import Tensor, nn

SMALLEST_DEVIATION = 1e-6


class IdentityWeights(nn.Module):
    """Counts and weights of all training identities; 1 until the first refresh. They are kept in the state dict.

    identities: number of training identities.
    """

    correct: Tensor
    compared: Tensor
    weights: Tensor

    def __init__(self, identities: int) -> None:
        super().__init__()
        self.register_buffer("correct", torch.zeros(identities))
        self.register_buffer("compared", torch.zeros(identities))
        self.register_buffer("weights", torch.ones(identities))

    @torch.no_grad()
    def count(self, labels: Tensor, similarity: Tensor, rivals: Tensor) -> None:
        """Add a batch's comparisons.

        labels: integer (n,), identity of each anchor. similarity: (n, n), anchors in rows, their own pairs on the
        diagonal. rivals: bool (n, n), pairs of different people.
        """
        correct = correct_comparisons(similarity, rivals).to(self.correct.dtype)
        self.correct.index_add_(0, labels, correct)
        self.compared.index_add_(0, labels, rivals.sum(1).to(self.compared.dtype))

    @torch.no_grad()
    def refresh(self, due: Tensor) -> None:
        """Make the weights anew from the counts, and start to count again, where `due` (bool, scalar) is true.

        Identities without a comparison keep their weight and have no say in mean and deviation; where all others
        have one ratio, nothing changes.
        """
        seen = self.compared > 0
        ratio = self.correct / self.compared.clamp_min(1.0)
        number = seen.sum()
        mean = (ratio * seen).sum() / number.clamp_min(1)
        variance = ((ratio - mean).square() * seen).sum() / (number - 1).clamp_min(1)
        deviation = variance.sqrt()
        usable = seen & (deviation > SMALLEST_DEVIATION)
        spread = deviation.clamp_min(SMALLEST_DEVIATION)
        distance = (ratio - (mean - deviation)) / spread
        density = torch.exp(-0.5 * distance.square()) / (spread * math.sqrt(2.0 * math.pi))
        self.weights.copy_(torch.where(due & usable, density, self.weights))
        for counts in (self.correct, self.compared):
            counts.masked_fill_(due, 0.0)

    def forward(self, labels: Tensor) -> Tensor:
        """Weight of each label's identity: integer (n,) → float (n,)."""
        return self.weights[labels]


def correct_comparisons(similarity: Tensor, rivals: Tensor) -> Tensor:
    """How many rivals of each anchor are less similar than its own pair: (n, n), bool (n, n) → integer (n,)."""
    return ((similarity < similarity.diagonal()[:, None]) & rivals).sum(1)
