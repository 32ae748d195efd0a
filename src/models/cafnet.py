"""CAFNet: bidirectional cross-attention and gated fusion of a voice and a face, each a sequence of tokens.

    a = tanh(W_a x̂ + b_a),  v = tanh(W_v ŷ + b_v)                 x̂, ŷ: the aligned inputs, below
    z_a = mean_t LN(a_t + MHA(a_t; v, v))                         voice tokens query the face's tokens
    z_v = mean_s LN(v_s + MHA(v_s; a, a))                         face tokens query the voice's tokens
    γ = σ(W_γ [z_a ‖ z_v] + b_γ),  fused = γ ⊙ z_a + (1 − γ) ⊙ z_v
    similarity = MLP([fused ‖ z_a ⊙ z_v])                         log odds of "same person"

Shapes for V voices of T tokens and F faces of S tokens, D_a and D_v numbers each: x (V, T, D_a), y (F, S, D_v);
a (V, T, d), v (F, S, d); for all pairs z_a, z_v, γ, fused (V, F, d); similarity (V, F).
Voice tokens are the whole utterance and its windows, face tokens the crop and its mirror image; masks keep
padding out of the softmax and of the means. **With one token a side** every softmax is 1: z_a = LN(a + W v), the
attention is a linear map, as it always is in the published code. It has something to choose from only when there
are several tokens.

Source: CAFNet, a system of the FAME 2024 and FAME 2026 challenges (overall EER 26.3 % on v1, 39.46 % on v3). With
`aligned_width` null and `comparison` "fused" this is its description. Our own method (configs/best.yaml) adds, and why:

- **Aligned inputs.** The paper projects L2-normalised embeddings from a random start. With about a hundred people
  that memorises them. A fixed affine map comes first, x̂ = P_a (x/|x| − μ_a): canonical directions of the
  training people, each scaled by its correlation on people held out of its fit (canonical_correlation.py). The
  projections start near the identity, and the attention's output near zero, so training starts near linear
  canonical correlation and improves on it. Without `fit_inputs` the maps are the identity: the paper's inputs.
- **Product.** The MLP also sees z_a ⊙ z_v. A network that sees `fused` alone, a weighted mean, must learn from a
  hundred people how to compare two vectors.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.association import AssociationModel, Comparison
from src.models.canonical_correlation import AffineMap
from src.models.cross_attention import CrossAttention
from src.models.gated_fusion import GatedFusion
from src.models.tokens import masked_token_mean

INITIAL_PROJECTION = 0.7
INITIAL_ATTENTION = 0.1


class AlignedInput(nn.Module):
    """x → (x/|x| − μ) P with fixed μ, P; the identity on x/|x| until `set_map`.

    dimension: D, numbers in a token. width: k, numbers that come out; D where there is no map.
    """

    mean: Tensor
    projection: Tensor

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("projection", torch.eye(dimension, width))

    def set_map(self, map_: AffineMap) -> None:
        """Take over a fitted map; directions that it lacks (fewer than k) are zero."""
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(map_.mean))
            self.projection.zero_()
            self.projection[:, : map_.projection.shape[1]].copy_(torch.from_numpy(map_.projection))

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (..., D). Returns (..., k)."""
        return (F.normalize(tokens, dim=-1) - self.mean) @ self.projection


class CafNet(AssociationModel):
    """CAFNet over token sequences; equations and shapes in the module's docstring.

    voice_dimension, face_dimension: D_a, D_v. aligned_width: k, numbers of the aligned inputs; None keeps the
    L2-normalised embeddings as they are. width: d. heads: attention heads, a divisor of d. hidden: units of
    the MLP. dropout: of projected tokens, of the MLP's input and of its hidden units. attention_dropout: of the
    attention weights. comparison: what the MLP sees.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        aligned_width: int | None,
        width: int,
        heads: int,
        hidden: int,
        dropout: float,
        attention_dropout: float,
        comparison: Literal["fused", "fused_and_product"],
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width)
        self.comparison = comparison
        self.aligned = aligned_width is not None
        self.voice_input = AlignedInput(voice_dimension, aligned_width or voice_dimension)
        self.face_input = AlignedInput(face_dimension, aligned_width or face_dimension)
        self.voice_projection = nn.Linear(aligned_width or voice_dimension, width)
        self.face_projection = nn.Linear(aligned_width or face_dimension, width)
        self.voice_attention = CrossAttention(width, heads, attention_dropout)
        self.face_attention = CrossAttention(width, heads, attention_dropout)
        self.voice_norm, self.face_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fusion = GatedFusion(width)
        self.dropout = nn.Dropout(dropout)
        seen = width if comparison == "fused" else 2 * width
        self.classifier = nn.Sequential(
            nn.Linear(seen, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )
        if aligned_width is not None:
            self._start_aligned()

    def fit_inputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Fix the input maps, fitted on training people alone."""
        self.voice_input.set_map(voice)
        self.face_input.set_map(face)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """a: (V, T, D_a) → (V, T, d)."""
        return self.dropout(torch.tanh(self.voice_projection(self.voice_input(tokens))))

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """v: (F, S, D_v) → (F, S, d)."""
        return self.dropout(torch.tanh(self.face_projection(self.face_input(tokens))))

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        voice = self.voice_norm(voices + self.voice_attention(voices, faces, face_mask))
        face = self.face_norm(faces + self.face_attention(faces, voices, voice_mask))
        return self._fuse(masked_token_mean(voice, voice_mask), masked_token_mean(face, face_mask))

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        voice = self.voice_norm(voices[:, None] + self.voice_attention.all_pairs(voices, faces, face_mask))
        face = self.face_norm(faces[:, None] + self.face_attention.all_pairs(faces, voices, voice_mask))
        return self._fuse(
            masked_token_mean(voice, voice_mask[:, None]),
            masked_token_mean(face, face_mask[:, None]).transpose(0, 1),
        )

    def attention_over_voice(
        self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor
    ) -> Tensor:
        """Mean over heads and face tokens of the weights behind z_v; see AssociationModel."""
        weights = self.face_attention.weights(faces, voices, voice_mask).mean(dim=1)
        return masked_token_mean(weights, face_mask)

    def shared_points(self, encodings: Tensor, mask: Tensor) -> Tensor | None:
        """Directions of the projected tokens, where the inputs are aligned; see AssociationModel."""
        return F.normalize(masked_token_mean(encodings, mask), dim=-1) if self.aligned else None

    def _fuse(self, voice: Tensor, face: Tensor) -> Comparison:
        fused = self.fusion(voice, face)
        seen = fused if self.comparison == "fused" else torch.cat([fused, voice * face], dim=-1)
        return Comparison(self.classifier(self.dropout(seen)).squeeze(-1), fused)

    def _start_aligned(self) -> None:
        """Projections near the identity on both sides, attention near zero: both sides speak one language."""
        with torch.no_grad():
            for projection in (self.voice_projection, self.face_projection):
                projection.weight.mul_(INITIAL_ATTENTION).add_(
                    INITIAL_PROJECTION * torch.eye(*projection.weight.shape)
                )
                projection.bias.zero_()
            for attention in (self.voice_attention, self.face_attention):
                attention.output.weight.mul_(INITIAL_ATTENTION)
                attention.output.bias.zero_()
