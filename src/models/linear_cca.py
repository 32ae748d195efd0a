"""Linear canonical correlation as a method of its own: the floor that every trained method has to beat.

    z_a = P_a (x/|x| − μ_a),  z_v = P_v (y/|y| − μ_v),  likeness = cos(z_a, z_v)         (n, D) → (n, k)

The maps are fitted in closed form (canonical_correlation.py): canonical directions, each scaled by its correlation on
people held out of its fit. There is nothing to train, so the network has no parameter, only fixed maps.

Source: Hotelling, "Relations Between Two Sets of Variates", Biometrika 1936.
"""

import torch.nn.functional as F
from torch import Tensor

from src.models.cafnet import AlignedInput
from src.models.canonical_correlation import AffineMap
from src.models.two_branch import TwoBranchModel, cosine_matrix, midpoint


class LinearCca(TwoBranchModel):
    """Both maps and the cosine; see the module's docstring.

    voice_dimension, face_dimension: D. width: k, canonical directions.
    """

    def __init__(self, voice_dimension: int, face_dimension: int, *, width: int) -> None:
        super().__init__(voice_dimension, face_dimension, width)
        self.voice_map = AlignedInput(voice_dimension, width)
        self.face_map = AlignedInput(face_dimension, width)

    def fit_inputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Take over the maps, fitted on training people alone."""
        self.voice_map.set_map(voice)
        self.face_map.set_map(face)

    def embed_voices(self, vectors: Tensor) -> Tensor:
        """(n, voice_dimension) → (n, width)."""
        embeddings: Tensor = self.voice_map(vectors)
        return embeddings

    def embed_faces(self, vectors: Tensor) -> Tensor:
        """(n, face_dimension) → (n, width)."""
        embeddings: Tensor = self.face_map(vectors)
        return embeddings

    def likeness(self, voices: Tensor, faces: Tensor) -> Tensor:
        """Cosine."""
        return F.cosine_similarity(voices, faces, dim=-1)

    def likeness_matrix(self, voices: Tensor, faces: Tensor) -> Tensor:
        """See TwoBranchModel."""
        return cosine_matrix(voices, faces)

    def fuse(self, voices: Tensor, faces: Tensor) -> Tensor:
        """The method fuses nothing: the midpoint of both directions."""
        return midpoint(voices, faces)
