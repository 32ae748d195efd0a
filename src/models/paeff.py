"""PAEFF: branches aligned in hyperbolic space, and a gate by convolution over their product.

    e_f = n(W' dropout(ReLU(BN(W x_f))) + b'),  e_v likewise              n: L2 normalisation; (n, D) → (n, d)
    p = exp_0(e)                                                          Poincaré ball, c = 0.05 (poincare.py)
    k = σ(conv₅(gelu e_f ⊙ gelu e_v)),  fused = tanh(W_r (k ⊙ e_f + (1 − k) ⊙ e_v) + b_r)
    alignment(i, j) = s(p_v,i, p_f,j) / 0.07
    geometry "released":    s = dot product;         likeness = −‖gelu e_f − gelu e_v‖₂
    geometry "hyperbolic":  s = −d_c(p_v, p_f);      likeness = −d_c(p_v, p_f)

Loss: 0.35 CE + 0.35 OPL on the fused embeddings of matching pairs (src/losses/fop.py) + 0.30 times the cross-entropy of
the alignment, both ways (src/losses/contrastive.py). The release takes everybody else's row of a batch for a
different person, its namesakes too: `same` = the diagonal. The right mask is by identity.

**What hyperbolic space adds.** Every e has the length 1, so all points lie on one sphere of the ball, where the
distance grows with the angle alone: it orders pairs as the cosine does. Only an item's mean over several tokens, which is
shorter the more they differ, moves inwards.

Source: Hannan et al., "PAEFF: Precise Alignment and Enhanced Gated Feature Fusion for Face-Voice Association",
Interspeech 2025.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.poincare import poincare_distance, poincare_distance_matrix, to_poincare_ball
from src.models.published_names import renamed_state
from src.models.two_branch import TwoBranchModel, distance_matrix, initialise_linear_layers

CURVATURE = 0.05
ALIGNMENT_TEMPERATURE = 0.07
GATE_KERNEL = 5

_PUBLISHED_PREFIXES = {
    "voice_branch.fc1.0.": "voice_branch.linear.",
    "voice_branch.fc1.1.": "voice_branch.norm.",
    "voice_branch.fc1.4.": "voice_branch.output.",
    "face_branch.fc1.0.": "face_branch.linear.",
    "face_branch.fc1.1.": "face_branch.norm.",
    "face_branch.fc1.4.": "face_branch.output.",
    "fusion_layer.conv.": "gate.",
    "res_mix.": "mixing.",
    "logits_layer.": "classifier.",
}


class PaeffBranch(nn.Module):
    """n(W' dropout(ReLU(BN(W x))) + b'): (n, dimension) → (n, width), of length 1."""

    def __init__(self, dimension: int, width: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(dimension, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, width)

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (n, dimension). Returns (n, width)."""
        return F.normalize(self.output(self.dropout(F.relu(self.norm(self.linear(vectors))))), dim=-1)


class Paeff(TwoBranchModel):
    """PAEFF; equations and shapes in the module's docstring.

    voice_dimension, face_dimension: D of both branches. width: d. dropout: of the branches, 0.4 as published.
    geometry: how points of the ball are compared. unit_inputs: see TwoBranchModel.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        width: int = 256,
        dropout: float = 0.4,
        geometry: Literal["released", "hyperbolic"] = "released",
        unit_inputs: bool = False,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width, unit_inputs=unit_inputs)
        self.hyperbolic = geometry == "hyperbolic"
        self.voice_branch = PaeffBranch(voice_dimension, width, dropout)
        self.face_branch = PaeffBranch(face_dimension, width, dropout)
        self.gate = nn.Conv1d(1, 1, GATE_KERNEL, padding=GATE_KERNEL // 2)
        self.mixing = nn.Linear(width, width)
        initialise_linear_layers(self)

    def embed_voices(self, vectors: Tensor) -> Tensor:
        """(n, voice_dimension) → (n, width), of length 1."""
        embeddings: Tensor = self.voice_branch(vectors)
        return embeddings

    def embed_faces(self, vectors: Tensor) -> Tensor:
        """(n, face_dimension) → (n, width), of length 1."""
        embeddings: Tensor = self.face_branch(vectors)
        return embeddings

    def likeness(self, voices: Tensor, faces: Tensor) -> Tensor:
        """Minus the distance that this geometry scores with."""
        if self.hyperbolic:
            return -poincare_distance(self.points(voices), self.points(faces), CURVATURE)
        return -torch.linalg.vector_norm(F.gelu(faces) - F.gelu(voices), dim=-1)

    def likeness_matrix(self, voices: Tensor, faces: Tensor) -> Tensor:
        """See TwoBranchModel."""
        if self.hyperbolic:
            return -poincare_distance_matrix(self.points(voices), self.points(faces), CURVATURE)
        return -distance_matrix(F.gelu(voices), F.gelu(faces))

    def fuse(self, voices: Tensor, faces: Tensor) -> Tensor:
        """(P, width) and (P, width) → (P, width)."""
        interaction = F.gelu(faces) * F.gelu(voices)
        share = torch.sigmoid(self._gate_logits(interaction))
        return torch.tanh(self.mixing(torch.lerp(voices, faces, share)))

    def _gate_logits(self, interaction: Tensor) -> Tensor:
        """conv₅ along each row, as a product with its five neighbours: (P, width) → (P, width).

        The library's convolution takes fourteen times as long with a single channel.
        """
        neighbours = F.pad(interaction, (GATE_KERNEL // 2, GATE_KERNEL // 2)).unfold(-1, GATE_KERNEL, 1)
        assert self.gate.bias is not None
        return neighbours @ self.gate.weight[0, 0] + self.gate.bias

    def points(self, embeddings: Tensor) -> Tensor:
        """Branch outputs in the Poincaré ball: (..., width) → (..., width)."""
        return to_poincare_ball(embeddings, CURVATURE)

    def alignment(self, voices: Tensor, faces: Tensor) -> Tensor:
        """Logits of the alignment loss of every voice and every face: branch outputs (n, d), (m, d) → (n, m)."""
        voice, face = self.points(voices), self.points(faces)
        if self.hyperbolic:
            return -poincare_distance_matrix(voice, face, CURVATURE) / ALIGNMENT_TEMPERATURE
        return voice @ face.T / ALIGNMENT_TEMPERATURE


def paeff_state_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict by our names, with the identity classifier under `classifier.`. Raises WeightsError."""
    return renamed_state(state, _PUBLISHED_PREFIXES)
