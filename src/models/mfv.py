"""MFV-KSD's fusion head: face-voice verification by a small network over both embeddings.

    h_a = ReLU(W_a2 dropout(ReLU(W_a1 x + b)) + b),  h_v likewise         192 → 256 → 128 and 512 → 256 → 128
    fused = ReLU(W [h_a ‖ h_v] + b)                                       (n, 256)
    [different, same] = W_c fused + b,  similarity = same − different

The joint layer is linear in each side, W [h_a ‖ h_v] = W_1 h_a + W_2 h_v, so each side is carried through its half once
and a pair costs a sum. Loss: cross-entropy of the two classes, which is that of the similarity (src/losses/pair.py,
negative ratio 1: half of the pairs are negative).

A voice's score is the mean of two: that of its whole utterance, and the mean over its windows. The first voice token is
the whole utterance, as the embedding stores have it.

Source: Tao et al., "Multi-stage Face-Voice Association Learning with Keynote Speaker Diarization", ACM Multimedia 2024.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.association import Comparison
from src.models.published_names import renamed_state
from src.models.token_pairs import TokenPairModel

_PUBLISHED_PREFIXES = {
    "fca1.": "voice_branch.hidden.",
    "fca2.": "voice_branch.output.",
    "fcb1.": "face_branch.hidden.",
    "fcb2.": "face_branch.output.",
    "fc.": "joint.",
}


class MfvBranch(nn.Module):
    """ReLU(W_2 dropout(ReLU(W_1 x))): (..., dimension) → (..., width)."""

    def __init__(self, dimension: int, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(dimension, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (..., dimension). Returns (..., width)."""
        return F.relu(self.output(self.dropout(F.relu(self.hidden(tokens)))))


class Mfv(TokenPairModel):
    """MFV-KSD's head; equations and shapes in the module's docstring.

    voice_dimension, face_dimension: 192 and 512 with its own encoders. hidden, width: of the branches.
    fused_width: of the joint layer. dropout: between the layers of a branch.
    unit_inputs: whether tokens are L2-normalised first, which the published head leaves out.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        hidden: int = 256,
        width: int = 128,
        fused_width: int = 256,
        dropout: float = 0.5,
        unit_inputs: bool = False,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, fused_width)
        self.unit_inputs = unit_inputs
        self.voice_branch = MfvBranch(voice_dimension, hidden, width, dropout)
        self.face_branch = MfvBranch(face_dimension, hidden, width, dropout)
        self.joint = nn.Linear(2 * width, fused_width)
        self.classifier = nn.Linear(fused_width, 2)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """(V, T, voice_dimension) → (V, T, fused_width): the voice's share of the joint layer."""
        weight, _ = self.joint.weight.chunk(2, dim=1)
        return F.linear(self.voice_branch(self._inputs(tokens)), weight)

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """(F, S, face_dimension) → (F, S, fused_width): the face's share of the joint layer, with its bias."""
        _, weight = self.joint.weight.chunk(2, dim=1)
        return F.linear(self.face_branch(self._inputs(tokens)), weight, self.joint.bias)

    def _inputs(self, tokens: Tensor) -> Tensor:
        return F.normalize(tokens, dim=-1) if self.unit_inputs else tokens

    def combine(self, voices: Tensor, faces: Tensor) -> Comparison:
        """Log odds and fused embeddings of tokens; see TokenPairModel."""
        fused = F.relu(voices + faces)
        different, same = self.classifier(fused).unbind(-1)
        return Comparison(same - different, fused)

    def voice_weights(self, mask: Tensor) -> Tensor:
        """One half for the first token, the whole utterance; the other shared by the windows, where there are any."""
        first = torch.zeros_like(mask)
        first[..., 0] = True
        windows = mask & ~first
        shared = windows.float() / windows.sum(-1, keepdim=True).clamp_min(1)
        return torch.where(windows.any(-1, keepdim=True), 0.5 * (first + shared), first.float())


def mfv_fusion_state_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published fusion module's state dict by our names, all but the classifier. Raises WeightsError."""
    return renamed_state(state, _PUBLISHED_PREFIXES)
