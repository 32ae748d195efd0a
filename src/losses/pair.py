"""Pair loss: is this voice and this face one person?

    L_pair = (mean over same of −log σ(s) + r · mean over different of −log σ(−s)) / (1 + r)

the binary cross-entropy of the similarity s, which is a two-class cross-entropy on the logits (0, s). All pairs
of a batch take part; r is the weight of the different pairs together against the same pairs together, which is
what drawing r negatives for each positive means (CAFNet's negative ratio, 1.5), with less noise.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.base import masked_mean


class PairLoss(nn.Module):
    """Binary cross-entropy on same and different pairs.

    negative_ratio: r, weight of all different pairs against all same pairs.
    """

    def __init__(self, negative_ratio: float = 1.5) -> None:
        super().__init__()
        if negative_ratio <= 0:
            raise ValueError(f"negative_ratio must be positive, not {negative_ratio}")
        self.negative_ratio = negative_ratio

    def forward(self, similarity: Tensor, same: Tensor) -> Tensor:
        """The loss, a scalar.

        similarity: float of any shape, higher = same person. same: bool of that shape.
        """
        if similarity.shape != same.shape:
            raise ValueError(
                f"similarity {tuple(similarity.shape)} and same {tuple(same.shape)} differ in shape"
            )
        positive = masked_mean(F.softplus(-similarity), same)
        negative = masked_mean(F.softplus(similarity), ~same)
        return (positive + self.negative_ratio * negative) / (1.0 + self.negative_ratio)
