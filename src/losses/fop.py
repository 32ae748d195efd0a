"""FOP loss: identity cross-entropy and orthogonal projection on fused embeddings of matching pairs.

    L_FOP = CE(W f + b, identity) + α · OPL(f, identity)

Source: Saeed et al., "Fusion and Orthogonal Projection for Improved Face-Voice Association", ICASSP 2022, eq. 5.
A fused embedding f that mixes two people has no identity: only matching pairs may be given.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.orthogonal_projection import OrthogonalProjectionLoss


class FopTerms(NamedTuple):
    """The terms of the loss, each a scalar with gradient."""

    identity: Tensor
    orthogonal_projection: Tensor


class FopLoss(nn.Module):
    """FOP loss with its identity classifier, which is needed in training alone.

    dimension: d of the fused embeddings. identities: number of training identities.
    different_weight: weight of OPL's different-identity term.
    label_smoothing: of the identity cross-entropy, 0 as published.
    """

    def __init__(
        self, dimension: int, identities: int, different_weight: float = 0.7, label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.classifier = nn.Linear(dimension, identities)
        self.orthogonal_projection = OrthogonalProjectionLoss(different_weight)
        self.label_smoothing = label_smoothing

    def forward(self, fused: Tensor, labels: Tensor) -> FopTerms:
        """Both terms, unweighted.

        fused: float (pairs, d) of matching pairs. labels: integer (pairs,), 0 to identities − 1.
        """
        orthogonal_projection = self.orthogonal_projection(fused, labels)
        identity = F.cross_entropy(self.classifier(fused), labels, label_smoothing=self.label_smoothing)
        return FopTerms(identity, orthogonal_projection)
