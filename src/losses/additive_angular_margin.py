"""Additive angular margin softmax (AAM-softmax, ArcFace).

Deng, Guo, Xue, Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, eq. 3;
used for speakers by the ECAPA-TDNN paper.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.base import LabelledEmbeddingLoss


class AdditiveAngularMarginLoss(LabelledEmbeddingLoss):
    """Cross-entropy over scaled cosines to one learned centre a class, the true angle widened by `margin`.

        logit_j = s · cos(θ_j + m · [j = label]),   θ_j the angle of the embedding to centre j

    Where θ + m would pass π the cosine is continued by its chord, cos θ − m sin m, so that the logit keeps
    falling as the angle grows.

    classes: number of identities. dimension: length of an embedding. scale: s. margin: m, radians; may be
    changed while training (warm-up). groups: (classes,) group of each class; classes of different groups do not
    compete with each other. None: all compete.
    """

    def __init__(
        self,
        *,
        classes: int,
        dimension: int,
        scale: float = 30.0,
        margin: float = 0.2,
        groups: Tensor | None = None,
    ) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes={classes}: at least 2 identities are needed to tell them apart")
        if scale <= 0 or not 0 <= margin < math.pi / 2:
            raise ValueError(f"scale={scale} must be positive and margin={margin} lie in [0, π/2)")
        self.scale, self.margin = scale, margin
        self.centres = nn.Parameter(torch.empty(classes, dimension))
        nn.init.xavier_normal_(self.centres)
        self.groups: Tensor | None
        self.register_buffer("groups", groups, persistent=False)

    def value(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch of eq. 3."""
        cosine = F.linear(F.normalize(embeddings.float()), F.normalize(self.centres)).clamp(-1, 1)
        target = cosine.gather(1, labels[:, None])
        sine = (1.0 - target.square()).clamp_min(1e-7).sqrt()
        widened = torch.where(
            target > -math.cos(self.margin),
            target * math.cos(self.margin) - sine * math.sin(self.margin),
            target - self.margin * math.sin(self.margin),
        )
        logits = cosine.scatter(1, labels[:, None], widened)
        if self.groups is not None:
            logits = logits.masked_fill(self.groups != self.groups[labels, None], -math.inf)
        return F.cross_entropy(self.scale * logits, labels)
