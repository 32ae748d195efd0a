"""The losses that CAFNet was released with, for parity; what the project trains it with is src/losses/fop.py.

    projection = mean |cos(fused, z_a)| + mean |cos(fused, z_v)|
    contrast   = mean_i −log softmax_i(cos(z_a,i, z_v,·) / 0.07)

The release adds 0.02 · projection to the cross-entropy of its two classes (src/losses/pair.py has it) and calls it FOP. It
is not: no identity takes part in it, and **minimising it turns the fused embedding away from both sides**, where its
own description wants them aligned. The contrast (NT-Xent, one direction, every other row of the batch a negative, also
of the same person) is released beside it, and its training does not use it.

Source: the release of "CAFNet: Cross-Attentive Face-Voice Fusion Network", FAME 2026.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONTRAST_TEMPERATURE = 0.07


class CafNetPublishedTerms(NamedTuple):
    """The terms, unweighted, each a scalar with gradient."""

    projection: Tensor
    contrast: Tensor


class CafNetPublishedLoss(nn.Module):
    """Both released terms; the weight of the projection is 0.02 as released, that of the contrast 0."""

    def forward(self, voices: Tensor, faces: Tensor, fused: Tensor) -> CafNetPublishedTerms:
        """The terms of pairs.

        voices, faces, fused: float (n, d), z_a, z_v and the fused embedding of pair i in row i. The contrast takes
        every row for a matching pair, the projection any pair.
        """
        if voices.ndim != 2 or not voices.shape == faces.shape == fused.shape:
            shapes = ", ".join(str(tuple(side.shape)) for side in (voices, faces, fused))
            raise ValueError(f"voices, faces and fused must be (n, d) of one shape; got {shapes}")
        voice, face, joint = (F.normalize(side, dim=1) for side in (voices, faces, fused))
        projection = (joint * voice).sum(1).abs().mean() + (joint * face).sum(1).abs().mean()
        own = torch.arange(len(voice), device=voice.device)
        return CafNetPublishedTerms(projection, F.cross_entropy(voice @ face.T / CONTRAST_TEMPERATURE, own))
