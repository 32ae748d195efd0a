"""FOP, the challenges' baseline: two branches, their fusion, and a score by the distance of the branches.

    e_f = n(dropout(ReLU(BN(W_f x_f + b_f)))),  e_v likewise             n: L2 normalisation; (n, D) → (n, d)
    gated fusion:   k = σ(W_2 ReLU(BN(W_1 [e_f ‖ e_v])))                 eq. 1, (n, d)
                    fused = k ⊙ tanh e_f + (1 − k) ⊙ tanh e_v
    linear fusion:  fused = w_f e_f + w_v e_v                            two learned numbers
    likeness = −‖φ(e_f) − φ(e_v)‖₂                                       φ: tanh where gated, else the identity

The challenge's score is −likeness. Training: src/losses/fop.py on the fused embeddings of matching pairs, which alone
teach it: neither fusion nor its loss compares a voice with somebody else's face.

Source: Saeed et al., "Fusion and Orthogonal Projection for Improved Face-Voice Association", ICASSP 2022; the score is
that of the FAME challenges' baseline.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.published_names import fill_exactly, renamed_state, shape_of
from src.models.two_branch import TwoBranchModel, distance_matrix, initialise_linear_layers

GATE_WIDTH = 128

_PUBLISHED_PREFIXES = {
    "voice_branch.fc1.0.": "voice_branch.linear.",
    "voice_branch.fc1.1.": "voice_branch.norm.",
    "face_branch.fc1.0.": "face_branch.linear.",
    "face_branch.fc1.1.": "face_branch.norm.",
    "fusion_layer.attention.0.block.0.": "fusion.hidden.",
    "fusion_layer.attention.0.block.1.": "fusion.norm.",
    "fusion_layer.attention.1.": "fusion.gate.",
    "fusion_layer.weight1": "fusion.face_weight",
    "fusion_layer.weight2": "fusion.voice_weight",
    "logits_layer.": "classifier.",
}


class FopBranch(nn.Module):
    """n(dropout(ReLU(BN(W x + b)))): (n, dimension) → (n, width), of length 1."""

    def __init__(self, dimension: int, width: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(dimension, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (n, dimension). Returns (n, width)."""
        return F.normalize(self.dropout(F.relu(self.norm(self.linear(vectors)))), dim=-1)


class FopGatedFusion(nn.Module):
    """FOP's gate over both branches; see the module's docstring.

    It is not `gated_fusion.GatedFusion`: this gate is a network of two layers, and what it mixes passes a tanh.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * width, GATE_WIDTH)
        self.norm = nn.BatchNorm1d(GATE_WIDTH)
        self.gate = nn.Linear(GATE_WIDTH, width)

    def forward(self, voices: Tensor, faces: Tensor) -> Tensor:
        """voices, faces: (n, width). Returns (n, width)."""
        hidden = F.relu(self.norm(self.hidden(torch.cat([faces, voices], dim=-1))))
        return torch.lerp(voices.tanh(), faces.tanh(), torch.sigmoid(self.gate(hidden)))


class FopLinearFusion(nn.Module):
    """w_f e_f + w_v e_v with learned numbers, which start at random in [0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.face_weight = nn.Parameter(torch.rand(1))
        self.voice_weight = nn.Parameter(torch.rand(1))

    def forward(self, voices: Tensor, faces: Tensor) -> Tensor:
        """voices, faces: (n, width). Returns (n, width)."""
        return self.face_weight * faces + self.voice_weight * voices


class Fop(TwoBranchModel):
    """FOP; equations and shapes in the module's docstring.

    voice_dimension, face_dimension: D of both branches. width: d. dropout: of the branches, 0.5 as published.
    unit_inputs: see TwoBranchModel.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        width: int = 128,
        dropout: float = 0.5,
        fusion: Literal["gated", "linear"] = "gated",
        unit_inputs: bool = False,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width, unit_inputs=unit_inputs)
        self.gated = fusion == "gated"
        self.voice_branch = FopBranch(voice_dimension, width, dropout)
        self.face_branch = FopBranch(face_dimension, width, dropout)
        self.fusion = FopGatedFusion(width) if self.gated else FopLinearFusion()
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
        """Minus the L2 distance that the challenge's baseline scores with."""
        difference = faces.tanh() - voices.tanh() if self.gated else faces - voices
        return -torch.linalg.vector_norm(difference, dim=-1)

    def likeness_matrix(self, voices: Tensor, faces: Tensor) -> Tensor:
        """See TwoBranchModel."""
        return -distance_matrix(*((voices.tanh(), faces.tanh()) if self.gated else (voices, faces)))

    def fuse(self, voices: Tensor, faces: Tensor) -> Tensor:
        """(P, width) and (P, width) → (P, width)."""
        fused: Tensor = self.fusion(voices, faces)
        return fused


class PublishedFop(NamedTuple):
    """A published FOP: the network in evaluation mode, and the classifier of its training identities."""

    model: Fop
    classifier: nn.Linear


def fop_from_published_state(state: Mapping[str, Tensor]) -> PublishedFop:
    """FOP from the state dict of the published code, the challenges' baseline checkpoints among them.

    Dimensions and fusion are read off the state. Raises WeightsError where keys or shapes are not FOP's.
    """
    renamed = renamed_state(state, _PUBLISHED_PREFIXES)
    width, voice_dimension = shape_of(renamed, "voice_branch.linear.weight", 2)
    _, face_dimension = shape_of(renamed, "face_branch.linear.weight", 2)
    identities, _ = shape_of(renamed, "classifier.weight", 2)
    model = Fop(
        voice_dimension,
        face_dimension,
        width=width,
        fusion="linear" if "fusion.face_weight" in renamed else "gated",
    )
    classifier = nn.Linear(width, identities)
    of_classifier = {name: tensor for name, tensor in renamed.items() if name.startswith("classifier.")}
    fill_exactly(model, {name: tensor for name, tensor in renamed.items() if name not in of_classifier})
    fill_exactly(
        classifier, {name.removeprefix("classifier."): tensor for name, tensor in of_classifier.items()}
    )
    return PublishedFop(model.eval(), classifier.eval())
