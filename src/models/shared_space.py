"""A shared space: each modality is projected into one space, in which a person's voices and faces should coincide.

    z = W_2 dropout(ReLU(BN(W_1 x̂ + b_1))) + b_2     or, without hidden units,     z = W dropout(x̂) + b
    likeness = 100 σ(t) · cos(z_a, z_v)                                            (n, D) → (n, d); t learned

x̂ is the L2-normalised embedding, or its canonical directions (`aligned_width`, canonical_correlation.py). After training,
the canonical directions of the space itself can be fitted (`fit_outputs`), into which z_a and z_v are turned from then on.
Which method it is, its loss decides:

- **angular margin over identities** (src/losses/additive_angular_margin.py): voices and faces of a person are rows of one
  batch with one label, so that both are drawn to one centre. The winner of FAME 2026.
- **symmetric InfoNCE** (src/losses/contrastive.py) on the likeness of all pairs of a batch; with `fit_outputs` at its end
  it is InfoNCE followed by CCA.

Sources: Simic, Riedhammer, Bocklet, "Shared Multi-modal Embedding Space for Face-Voice Association", 2025; the learned
scale, from 1/0.07 and at most 100, is that of Radford et al., "Learning Transferable Visual Models", 2021, sect. 2.5; it
approaches its bound here instead of being clipped at it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.cafnet import AlignedInput
from src.models.canonical_correlation import AffineMap
from src.models.two_branch import TwoBranchModel, cosine_matrix, midpoint

INITIAL_SCALE = 1.0 / 0.07
HIGHEST_SCALE = 100.0


class SharedSpace(TwoBranchModel):
    """Two projections and a scaled cosine; see the module's docstring.

    voice_dimension, face_dimension: D. width: d. hidden: units of the hidden layer; None: a linear projection.
    dropout: before the last layer. aligned_width: canonical directions of the inputs; None keeps the embeddings.
    canonical_width: canonical directions that `fit_outputs` may be given; None compares in the space itself, as does
    every model before `fit_outputs`.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        width: int,
        hidden: int | None,
        dropout: float,
        aligned_width: int | None = None,
        canonical_width: int | None = None,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width)
        self.voice_input = AlignedInput(voice_dimension, aligned_width or voice_dimension)
        self.face_input = AlignedInput(face_dimension, aligned_width or face_dimension)
        self.voice_projection = _projection(aligned_width or voice_dimension, hidden, width, dropout)
        self.face_projection = _projection(aligned_width or face_dimension, hidden, width, dropout)
        self.canonical_width = canonical_width
        if canonical_width is not None:
            self.voice_output, self.face_output = AlignedInput(width, width), AlignedInput(width, width)
        share = INITIAL_SCALE / HIGHEST_SCALE
        self.scale_logit = nn.Parameter(torch.tensor(math.log(share / (1.0 - share))))

    def fit_inputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Fix the input maps, fitted on training people alone."""
        self.voice_input.set_map(voice)
        self.face_input.set_map(face)

    def fit_outputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Fix the maps of the trained space into `canonical_width` directions, fitted on training people alone."""
        self.voice_output.set_map(voice)
        self.face_output.set_map(face)

    def embed_voices(self, vectors: Tensor) -> Tensor:
        """(n, voice_dimension) → (n, width)."""
        embeddings: Tensor = self.voice_projection(self.voice_input(vectors))
        return embeddings if self.canonical_width is None else self.voice_output(embeddings)

    def embed_faces(self, vectors: Tensor) -> Tensor:
        """(n, face_dimension) → (n, width)."""
        embeddings: Tensor = self.face_projection(self.face_input(vectors))
        return embeddings if self.canonical_width is None else self.face_output(embeddings)

    def likeness(self, voices: Tensor, faces: Tensor) -> Tensor:
        """Cosine, times the learned scale."""
        return self._scale() * F.cosine_similarity(voices, faces, dim=-1)

    def likeness_matrix(self, voices: Tensor, faces: Tensor) -> Tensor:
        """See TwoBranchModel."""
        return self._scale() * cosine_matrix(voices, faces)

    def fuse(self, voices: Tensor, faces: Tensor) -> Tensor:
        """The method fuses nothing: the midpoint of both directions."""
        return midpoint(voices, faces)

    def _scale(self) -> Tensor:
        return HIGHEST_SCALE * torch.sigmoid(self.scale_logit)


def _projection(dimension: int, hidden: int | None, width: int, dropout: float) -> nn.Sequential:
    if hidden is None:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(dimension, width))
    return nn.Sequential(
        nn.Linear(dimension, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, width),
    )
