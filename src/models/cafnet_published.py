"""CAFNet as its authors released it, for parity and for the table; src/models/cafnet.py is the method of the paper.

    a = W_a n(x) + b_a,  v = W_v n(y) + b_v                         n: L2 normalisation; (n, D) → (n, d); no tanh
    z_a = LN(a + A_1 v),  z_v = LN(v + A_2 a)                       A: attention over a single key, below
    fused = LN(GELU(W_m (z_a + z_v) + b_m))                         a sum, no gate; (n, d)
    [different, same] = W_c fused + b_c,  similarity = same − different

The release calls PyTorch's multi-head attention with one key, whose softmax is 1: what is left is the value projection
and then the output projection, A v = W_o (W_v v + b_v) + b_o, whatever the query. Its query and key weights never
receive a gradient, so they are not here, and are left out when a released state is read.

Loss: src/losses/cafnet_published.py.

Source: the release of "CAFNet: Cross-Attentive Face-Voice Fusion Network", FAME 2026.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.association import Comparison
from src.models.published_names import renamed_state, shape_of
from src.models.token_pairs import TokenPairModel, uniform_weights

_PUBLISHED_PREFIXES = {
    "a_proj.": "voice_projection.",
    "v_proj.": "face_projection.",
    "cross1.in_proj_": "voice_attention.value.",
    "cross1.out_proj.": "voice_attention.output.",
    "cross2.in_proj_": "face_attention.value.",
    "cross2.out_proj.": "face_attention.output.",
    "norm_a.": "voice_norm.",
    "norm_v.": "face_norm.",
    "fuse.0.": "fusion.",
    "fuse.2.": "fusion_norm.",
    "fuse.3.": "fusion_norm.",  # where the release was built with dropout
    "classifier.": "classifier.",
}


class SingleKeyAttention(nn.Module):
    """Attention over one key: (..., d) → (..., d), the key's value and output projections."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, key: Tensor) -> Tensor:
        """key: (..., d). Returns (..., d), the answer to every query."""
        answer: Tensor = self.output(self.value(key))
        return answer


class CafNetPublished(TokenPairModel):
    """The released CAFNet; equations and shapes in the module's docstring.

    Encodings are (..., 2d): a side's projection, and what the other side reads from it.

    voice_dimension, face_dimension: D. width: d. dropout: after the GELU, 0 as released.
    """

    def __init__(
        self, voice_dimension: int, face_dimension: int, *, width: int = 512, dropout: float = 0.0
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width)
        self.voice_projection = nn.Linear(voice_dimension, width)
        self.face_projection = nn.Linear(face_dimension, width)
        self.voice_attention = SingleKeyAttention(width)
        self.face_attention = SingleKeyAttention(width)
        self.voice_norm, self.face_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fusion = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.fusion_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, 2)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """(V, T, voice_dimension) → (V, T, 2d): a, and A_2 a for the faces."""
        projected = self.voice_projection(F.normalize(tokens, dim=-1))
        return _side_by_side(projected, self.face_attention(projected))

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """(F, S, face_dimension) → (F, S, 2d): v, and A_1 v for the voices."""
        projected = self.face_projection(F.normalize(tokens, dim=-1))
        return _side_by_side(projected, self.voice_attention(projected))

    def attended(self, voices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """z_a and z_v of encodings (..., 2d) whose shapes broadcast: (..., d) each."""
        (voice, for_face), (face, for_voice) = voices.chunk(2, dim=-1), faces.chunk(2, dim=-1)
        return self.voice_norm(voice + for_voice), self.face_norm(face + for_face)

    def combine(self, voices: Tensor, faces: Tensor) -> Comparison:
        """Log odds and fused embeddings of tokens; see TokenPairModel."""
        voice, face = self.attended(voices, faces)
        fused = self.fusion_norm(self.dropout(F.gelu(self.fusion(voice + face))))
        different, same = self.classifier(fused).unbind(-1)
        return Comparison(same - different, fused)

    def voice_weights(self, mask: Tensor) -> Tensor:
        """All tokens weigh the same."""
        return uniform_weights(mask)


def cafnet_state_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict by our names, without the query and key projections. Raises WeightsError."""
    renamed = renamed_state(state, _PUBLISHED_PREFIXES)
    width, _ = shape_of(renamed, "voice_projection.weight", 2)
    return {
        name: tensor[2 * width :] if "_attention.value." in name else tensor  # stacked as query, key, value
        for name, tensor in renamed.items()
    }


def _side_by_side(projected: Tensor, answer: Tensor) -> Tensor:
    return torch.cat([projected, answer], dim=-1)
