"""In-batch contrast: of all faces of a batch, which is the voice's own, and the other way round.

    L = ½ (mean over matching pairs (i, j) of −log e^{s_ij} / (e^{s_ij} + Σ_{k differs from i} e^{s_ik})
         + the same over columns)

A cross-entropy among different people alone: a person's other faces are neither rivals nor false negatives.
Source: van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018, eq. 4 (InfoNCE),
symmetric as in Radford et al., "Learning Transferable Visual Models", 2021, with several positives.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.base import masked_mean


class ContrastiveLoss(nn.Module):
    """Symmetric in-batch contrast of a similarity matrix."""

    def forward(self, similarity: Tensor, same: Tensor) -> Tensor:
        """The loss, a scalar.

        similarity: float (V, F), higher = same person. same: bool (V, F).
        """
        if similarity.ndim != 2 or similarity.shape != same.shape:
            raise ValueError(
                f"similarity {tuple(similarity.shape)} and same {tuple(same.shape)} must be matrices of one shape"
            )
        rivals = similarity.masked_fill(same, -math.inf)
        by_voice = F.softplus(rivals.logsumexp(1, keepdim=True) - similarity)
        by_face = F.softplus(rivals.logsumexp(0, keepdim=True) - similarity)
        return 0.5 * (masked_mean(by_voice, same) + masked_mean(by_face, same))
