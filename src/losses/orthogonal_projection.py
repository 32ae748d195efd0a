"""Orthogonal projection loss: one identity's embeddings point one way, two identities' are orthogonal.

    OPL = (1 − s) + w · d
    s = mean of cos(f_i, f_j) over ordered pairs i ≠ j of one identity
    d = mean of |cos(f_i, f_j)| over pairs of different identities,    w = 0.7

The absolute value asks for orthogonal, not opposite, identities. Source: Saeed et al., "Fusion and Orthogonal
Projection for Improved Face-Voice Association", ICASSP 2022, eq. 2-4; after Ranasinghe et al., "Orthogonal
Projection Loss", ICCV 2021. The weight 0.7 is that of the challenge's baseline.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from src.losses.base import LabelledEmbeddingLoss, masked_mean


class OrthogonalProjectionLoss(LabelledEmbeddingLoss):
    """OPL over a batch.

    different_weight: w, weight of the different-identity term.

    A batch in which no identity stands twice has s = 0 and one with a single identity d = 0, as in the
    published code; such a term is constant and teaches nothing, so batches should bring both.
    """

    def __init__(self, different_weight: float = 0.7) -> None:
        super().__init__()
        self.different_weight = different_weight

    def value(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The formula; see the module's docstring. Scalar."""
        directions = F.normalize(embeddings, dim=1)
        cosine = directions @ directions.T
        same = labels[:, None] == labels[None, :]
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        same_mean = masked_mean(cosine, same & ~itself)
        different_mean = masked_mean(cosine.abs(), ~same)
        return (1.0 - same_mean) + self.different_weight * different_mean
