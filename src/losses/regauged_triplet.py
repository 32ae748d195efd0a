"""Triplets mined in a batch and refined by the bilateral connection re-gauging.

Anchor i of one modality has its own row i of the other, and rivals j of other people there. With cosines s_ij between
the modalities and h_ij = cos(candidate i, candidate j) within the candidates' one:

    t_ij = s_ij − s_ii + m                          triplet with margin m = 0.2, kept where it is positive
    g_ij = [h_ij + r − s_ii]₊ + [s_ij − h_ij + r]₊  re-gauging of what is kept, r = 0.15
    L_i = mean over kept j of (t_ij + g_ij),        0 where none is kept or s_ii ≤ 0.15

g ties the rival to both ends of the pair: to the own candidate (h) less than the pair itself, to the anchor (s) less than
to the own candidate. An anchor whose pair is not yet similar (s_ii ≤ 0.15) is left out: it may be mislabelled.

Source: AaSM, "Taking a Part for the Whole: An Archetype-agnostic Framework for Voice-Face Association", ACM MM 2023. The
release has the same numbers, rebuilt from Python floats, and so without a gradient; here it is kept.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.base import masked_mean


class RegaugedTripletLoss(nn.Module):
    """Re-gauged triplets of every anchor.

    margin: m. connection: r. least_similarity: below it an anchor's own pair is not trusted.
    """

    def __init__(self, margin: float = 0.2, connection: float = 0.15, least_similarity: float = 0.15) -> None:
        super().__init__()
        self.margin, self.connection, self.least_similarity = margin, connection, least_similarity

    def forward(self, anchors: Tensor, candidates: Tensor, rivals: Tensor) -> Tensor:
        """The loss of each anchor, (n,); 0 where it has no triplet.

        anchors, candidates: float (n, d), row i of one person. rivals: bool (n, n), pairs of different people.
        """
        if anchors.ndim != 2 or anchors.shape != candidates.shape or rivals.shape != (len(anchors),) * 2:
            raise ValueError(
                f"anchors {tuple(anchors.shape)} and candidates {tuple(candidates.shape)} must be (n, d) of one shape, "
                f"and rivals {tuple(rivals.shape)} (n, n)"
            )
        anchor, candidate = F.normalize(anchors, dim=1), F.normalize(candidates, dim=1)
        across, within = anchor @ candidate.T, candidate @ candidate.T
        own = across.diagonal()[:, None]
        triplet = across - own + self.margin
        kept = (triplet > 0) & rivals & (own > self.least_similarity)
        regauged = F.relu(within + self.connection - own) + F.relu(across - within + self.connection)
        return _row_mean(triplet + regauged, kept)


def mean_of_directions(there: Tensor, back: Tensor) -> Tensor:
    """Both directions' losses (n,) and (n,) as one (n,): their mean where both mined a triplet, else the one's."""
    both = torch.stack([there, back], dim=1)
    return _row_mean(both, both > 0)


def mean_of_mined(losses: Tensor, weights: Tensor) -> Tensor:
    """Mean of weights · losses, each (n,), over the anchors that mined a triplet; 0 where none did. Scalar."""
    return masked_mean(weights * losses, losses > 0)


def _row_mean(values: Tensor, mask: Tensor) -> Tensor:
    kept = mask.to(values.dtype)
    return (values * kept).sum(1) / kept.sum(1).clamp_min(1.0)
