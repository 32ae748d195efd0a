"""AaSM: a small head over each encoder into one space, scored by the cosine; its losses are what is new in it.

    z_a = W_a2 ReLU(W_a1 x),  z_v = W_v2 ReLU(W_v1 y)             no biases, not normalised; (n, D) → (n, d)
    likeness = cos(z_a, z_v)

As published D = 128 and 512, the hidden layers 128 and 256, d = 128, and both encoders (ResNet-34 of speech, IR-152)
learn along: the heads take embeddings that carry a gradient as they take stored ones. Losses: src/losses/aasm.py.

Source: "Taking a Part for the Whole: An Archetype-agnostic Framework for Voice-Face Association", ACM Multimedia 2023.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from src.models.two_branch import TwoBranchModel, cosine_matrix, midpoint


class Aasm(TwoBranchModel):
    """AaSM's heads; equations and shapes in the module's docstring.

    voice_dimension, face_dimension: D. voice_hidden, face_hidden: units of the hidden layers. width: d.
    unit_inputs: see TwoBranchModel.
    """

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        *,
        voice_hidden: int = 128,
        face_hidden: int = 256,
        width: int = 128,
        unit_inputs: bool = False,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, width, unit_inputs=unit_inputs)
        self.voice_head = _head(voice_dimension, voice_hidden, width)
        self.face_head = _head(face_dimension, face_hidden, width)

    def embed_voices(self, vectors: Tensor) -> Tensor:
        """(n, voice_dimension) → (n, width)."""
        embeddings: Tensor = self.voice_head(vectors)
        return embeddings

    def embed_faces(self, vectors: Tensor) -> Tensor:
        """(n, face_dimension) → (n, width)."""
        embeddings: Tensor = self.face_head(vectors)
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


def _head(dimension: int, hidden: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(dimension, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, width, bias=False)
    )
