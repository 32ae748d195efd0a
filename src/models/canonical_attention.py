"""Our own method: token-level cross-attention that corrects a likelihood ratio of canonical directions.

    x̂_t = P_a (x_t/|x_t| − μ_a),  ŷ_s = P_v (y_s/|y_s| − μ_v)                   canonical directions of each token
    a_t = tanh(W_a x̂_t + b_a),  v_s = tanh(W_v ŷ_s + b_v)
    z_a = mean_t LN(a_t + MHA(a_t; v, v)),  z_v = mean_s LN(v_s + MHA(v_s; a, a))
    γ = σ(W_γ [z_a ‖ z_v] + b_γ),  fused = γ ⊙ z_a + (1 − γ) ⊙ z_v
    base = Σ_k w_k x̄_k ȳ_k − u_k x̄_k² − o_k ȳ_k² + c                            x̄, ȳ: means of x̂_t, ŷ_s over tokens
    similarity = base + MLP([fused ‖ z_a ⊙ z_v])

Two standard normal numbers of correlation ρ have the log-likelihood ratio ρ/(1−ρ²) x y − ρ²/(2 (1−ρ²)) (x² + y²) + const
of "one person" against "two people". `base` is of this form with learned weights that are never negative: all that Gaussian
canonical directions can say, which a network would have to find from examples. The attention and the MLP add what is not
Gaussian, such as the two sexes, and what depends on which tokens are good.

Shapes for V voices of T tokens and F faces of S tokens: x (V, T, D_a), y (F, S, D_v); x̂ (V, T, k), ŷ (F, S, k);
a (V, T, d), v (F, S, d); for all pairs z_a, z_v, γ, fused (V, F, d); base, similarity (V, F).

Sources: canonical directions, src/models/canonical_correlation.py; attention and gate, CAFNet (src/models/cafnet.py); the
likelihood ratio of two correlated Gaussians as a score, Prince and Elder, "Probabilistic Linear Discriminant Analysis
for Inferences About Identity", ICCV 2007.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.association import AssociationModel, Comparison
from src.models.cafnet import INITIAL_ATTENTION, INITIAL_PROJECTION, AlignedInput
from src.models.canonical_correlation import AffineMap
from src.models.cross_attention import CrossAttention
from src.models.gated_fusion import GatedFusion
from src.models.tokens import masked_token_mean

INITIAL_PRODUCT_WEIGHT, INITIAL_SQUARE_WEIGHT = 3.0, 0.3


class CanonicalAttention(AssociationModel):
    """Cross-attention over a likelihood ratio of canonical directions; equations in the module's docstring.

    voice_dimension, face_dimension: D_a, D_v. aligned_width: k. width: d. heads: attention heads, a divisor of d.
    hidden: units of the MLP. dropout: of projected tokens, of the MLP's input and of its hidden units.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        aligned_width: int,
        width: int,
        heads: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width)
        self.width = width
        self.voice_input = AlignedInput(voice_dimension, aligned_width)
        self.face_input = AlignedInput(face_dimension, aligned_width)
        self.voice_projection = _near_identity(aligned_width, width)
        self.face_projection = _near_identity(aligned_width, width)
        self.voice_attention, self.face_attention = (
            _quiet_attention(width, heads),
            _quiet_attention(width, heads),
        )
        self.voice_norm, self.face_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fusion = GatedFusion(width)
        self.dropout = nn.Dropout(dropout)
        self.product = _weights(aligned_width, INITIAL_PRODUCT_WEIGHT)
        self.voice_square = _weights(aligned_width, INITIAL_SQUARE_WEIGHT)
        self.face_square = _weights(aligned_width, INITIAL_SQUARE_WEIGHT)
        self.offset = nn.Parameter(torch.zeros(()))
        self.classifier = nn.Sequential(
            nn.Linear(2 * width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )

    def fit_inputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Fix the input maps, fitted on training people alone."""
        self.voice_input.set_map(voice)
        self.face_input.set_map(face)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """[a ‖ x̂]: (V, T, D_a) → (V, T, d + k)."""
        aligned = self.voice_input(tokens)
        return torch.cat([self.dropout(torch.tanh(self.voice_projection(aligned))), aligned], dim=-1)

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """[v ‖ ŷ]: (F, S, D_v) → (F, S, d + k)."""
        aligned = self.face_input(tokens)
        return torch.cat([self.dropout(torch.tanh(self.face_projection(aligned))), aligned], dim=-1)

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        a, v = voices[..., : self.width], faces[..., : self.width]
        voice = self.voice_norm(a + self.voice_attention(a, v, face_mask))
        face = self.face_norm(v + self.face_attention(v, a, voice_mask))
        x, y = self._aligned_means(voices, voice_mask, faces, face_mask)
        base = (F.softplus(self.product) * x * y).sum(-1) - self._squares(x, y, rows=True)
        return self._correct(base, masked_token_mean(voice, voice_mask), masked_token_mean(face, face_mask))

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        a, v = voices[..., : self.width], faces[..., : self.width]
        voice = self.voice_norm(a[:, None] + self.voice_attention.all_pairs(a, v, face_mask))
        face = self.face_norm(v[:, None] + self.face_attention.all_pairs(v, a, voice_mask))
        x, y = self._aligned_means(voices, voice_mask, faces, face_mask)
        base = (F.softplus(self.product) * x) @ y.T - self._squares(x, y, rows=False)
        return self._correct(
            base,
            masked_token_mean(voice, voice_mask[:, None]),
            masked_token_mean(face, face_mask[:, None]).transpose(0, 1),
        )

    def _aligned_means(
        self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x̄ (V, k) and ȳ (F, k)."""
        return (
            masked_token_mean(voices[..., self.width :], voice_mask),
            masked_token_mean(faces[..., self.width :], face_mask),
        )

    def _squares(self, x: Tensor, y: Tensor, *, rows: bool) -> Tensor:
        voice = (F.softplus(self.voice_square) * x.square()).sum(-1)
        face = (F.softplus(self.face_square) * y.square()).sum(-1)
        return voice + face if rows else voice[:, None] + face[None]

    def _correct(self, base: Tensor, voice: Tensor, face: Tensor) -> Comparison:
        fused = self.fusion(voice, face)
        seen = self.dropout(torch.cat([fused, voice * face], dim=-1))
        return Comparison(base + self.offset + self.classifier(seen).squeeze(-1), fused)


def _near_identity(inputs: int, outputs: int) -> nn.Linear:
    """A projection near the identity, so that both sides begin by speaking one language."""
    projection = nn.Linear(inputs, outputs)
    with torch.no_grad():
        projection.weight.mul_(INITIAL_ATTENTION).add_(INITIAL_PROJECTION * torch.eye(outputs, inputs))
        projection.bias.zero_()
    return projection


def _quiet_attention(width: int, heads: int) -> CrossAttention:
    """Attention that adds little at first."""
    attention = CrossAttention(width, heads)
    with torch.no_grad():
        attention.output.weight.mul_(INITIAL_ATTENTION)
        attention.output.bias.zero_()
    return attention


def _weights(count: int, value: float) -> nn.Parameter:
    """Parameters whose softplus is `value`."""
    return nn.Parameter(torch.full((count,), math.log(math.expm1(value))))
