"""What two-branch methods share: a branch per modality into one space, and a pair scored by two vectors.

The published methods know one vector a recording and one a photograph. Of several tokens the branch sees each on its
own, and an item's vector is the mean of what comes out: with one token it is the published method. A branch with
batch normalisation counts padding in its statistics while it trains: draw as many tokens an item as every item has.
"""

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.association import AssociationModel, Comparison
from src.models.tokens import masked_token_mean


class TwoBranchModel(AssociationModel):
    """An association model that scores a pair by the vectors of its voice and its face.

    Encodings are the branches' outputs, one a token, of a width that both branches share.

    unit_inputs: whether tokens are L2-normalised first; the published methods take them as their encoders gave them.
    """

    grid_pairs: int = 1 << 20

    def __init__(
        self,
        voice_dimension: int,
        face_dimension: int,
        fused_dimension: int,
        *,
        unit_inputs: bool = False,
    ) -> None:
        super().__init__(voice_dimension, face_dimension, fused_dimension)
        self.unit_inputs = unit_inputs

    @abstractmethod
    def embed_voices(self, vectors: Tensor) -> Tensor:
        """The voice branch: (n, voice_dimension) → (n, width)."""

    @abstractmethod
    def embed_faces(self, vectors: Tensor) -> Tensor:
        """The face branch: (n, face_dimension) → (n, width)."""

    @abstractmethod
    def likeness(self, voices: Tensor, faces: Tensor) -> Tensor:
        """How alike branch outputs are; higher = same person.

        voices, faces: (..., width), of shapes that broadcast. Returns (...).
        """

    @abstractmethod
    def fuse(self, voices: Tensor, faces: Tensor) -> Tensor:
        """Joint embeddings of branch outputs, row by row: (P, width) and (P, width) → (P, fused_dimension)."""

    def likeness_matrix(self, voices: Tensor, faces: Tensor) -> Tensor:
        """`likeness` of every voice and every face: (n, width) and (m, width) → (n, m)."""
        return self.likeness(voices[:, None], faces[None])

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """(V, T, voice_dimension) → (V, T, width)."""
        return self.embed_voices(self._inputs(tokens)).unflatten(0, tokens.shape[:2])

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """(F, S, face_dimension) → (F, S, width)."""
        return self.embed_faces(self._inputs(tokens)).unflatten(0, tokens.shape[:2])

    def condense(self, encodings: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The mean token; see AssociationModel."""
        return masked_token_mean(encodings, mask)[:, None], mask.new_ones(len(mask), 1)

    def row_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """Rows with rows; see AssociationModel."""
        return self.likeness(masked_token_mean(voices, voice_mask), masked_token_mean(faces, face_mask))

    def grid_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """Every voice with every face; see AssociationModel."""
        voice, face = masked_token_mean(voices, voice_mask), masked_token_mean(faces, face_mask)
        return self.likeness_matrix(voice, face)

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        voice, face = masked_token_mean(voices, voice_mask), masked_token_mean(faces, face_mask)
        return Comparison(self.likeness(voice, face), self.fuse(voice, face))

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        grid = (len(voices), len(faces), -1)
        voice = masked_token_mean(voices, voice_mask)[:, None].expand(grid)
        face = masked_token_mean(faces, face_mask)[None].expand(grid)
        fused = self.fuse(voice.flatten(0, 1), face.flatten(0, 1))
        return Comparison(self.likeness(voice, face), fused.unflatten(0, grid[:2]))

    def shared_points(self, encodings: Tensor, mask: Tensor) -> Tensor:
        """Directions of the branch outputs; see AssociationModel."""
        return F.normalize(masked_token_mean(encodings, mask), dim=-1)

    def _inputs(self, tokens: Tensor) -> Tensor:
        vectors = tokens.flatten(0, 1)
        return F.normalize(vectors, dim=-1) if self.unit_inputs else vectors


def midpoint(voices: Tensor, faces: Tensor) -> Tensor:
    """Mean of both directions, the joint embedding of methods that fuse nothing: (P, d) and (P, d) → (P, d)."""
    return 0.5 * (F.normalize(voices, dim=-1) + F.normalize(faces, dim=-1))


def cosine_matrix(voices: Tensor, faces: Tensor) -> Tensor:
    """Cosine of every voice and every face: (n, d) and (m, d) → (n, m)."""
    return F.normalize(voices, dim=-1) @ F.normalize(faces, dim=-1).T


def distance_matrix(voices: Tensor, faces: Tensor) -> Tensor:
    """Euclidean distance of every voice and every face, to full precision: (n, d) and (m, d) → (n, m)."""
    return torch.cdist(voices, faces, compute_mode="donot_use_mm_for_euclid_dist")


def initialise_linear_layers(network: nn.Module) -> None:
    """Weights by Glorot and Bengio (2010), uniform, and biases of 0.01: where FOP and PAEFF start."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.constant_(module.bias, 0.01)
