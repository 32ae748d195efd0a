"""Gated fusion of a voice and a face vector."""

import torch
from torch import Tensor, nn


class GatedFusion(nn.Module):
    """An element-wise convex combination, whose weights both modalities decide.

        γ = σ(W [z_a ‖ z_v] + b),    fused = γ ⊙ z_a + (1 − γ) ⊙ z_v

    Source: Arevalo et al., "Gated Multimodal Units for Information Fusion", 2017, sect. 3.1; CAFNet uses it with
    the vectors that come out of its attention.

    dimension: d of both vectors.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.gate = nn.Linear(2 * dimension, dimension)

    def forward(self, voice: Tensor, face: Tensor) -> Tensor:
        """voice, face: (..., d). Returns (..., d)."""
        weight = torch.sigmoid(self.gate(torch.cat([voice, face], dim=-1)))
        return torch.lerp(face, voice, weight)
