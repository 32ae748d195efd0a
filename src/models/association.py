"""What every association model can do: encode voices and faces once, then compare pairs of them."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Comparison(NamedTuple):
    """The outcome for pairs, listed (P) or all of a grid (V, F).

    similarity: (P,) or (V, F); higher = same person.
    fused: (P, d) or (V, F, d); the joint embedding of each pair.
    """

    similarity: Tensor
    fused: Tensor


class AssociationModel(nn.Module, ABC):
    """A model that says how alike a voice and a face are.

    Voices and faces come as token sequences with masks (true = token, false = padding). Each side is encoded
    once, however many pairs it takes part in; comparing is done on encodings.

    voice_dimension, face_dimension: numbers in a token of each modality.
    fused_dimension: d, numbers in the joint embedding of a pair.
    grid_pairs: how many pairs `grid_similarity` takes at once without more memory than processors like.
    """

    grid_pairs: int = 4096

    def __init__(self, voice_dimension: int, face_dimension: int, fused_dimension: int) -> None:
        super().__init__()
        self.fused_dimension = fused_dimension
        self.voice_dimension = voice_dimension
        self.face_dimension = face_dimension

    @abstractmethod
    def encode_voices(self, tokens: Tensor) -> Tensor:
        """tokens: float (V, T, voice_dimension). Returns (V, T, width), each token on its own."""

    @abstractmethod
    def encode_faces(self, tokens: Tensor) -> Tensor:
        """tokens: float (F, S, face_dimension). Returns (F, S, width), each token on its own."""

    @abstractmethod
    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Compare row i of the voices with row i of the faces.

        voices: encodings (P, T, width). voice_mask: bool (P, T). faces: encodings (P, S, width). face_mask:
        bool (P, S). Every row of a mask has at least one true.
        """

    @abstractmethod
    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Compare every voice with every face.

        voices: encodings (V, T, width). voice_mask: bool (V, T). faces: encodings (F, S, width). face_mask:
        bool (F, S). Every row of a mask has at least one true.
        """

    def condense(self, encodings: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """All that comparing needs of an item's encodings, before they are repeated pair by pair.

        encodings: (n, T, width), of voices or of faces. mask: bool (n, T). Returns both, with fewer tokens where the
        method compares no more than a summary of them; pairs of what comes out compare as pairs of what went in.
        """
        return encodings, mask

    def row_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """Similarity of row i of the voices and row i of the faces, (P,), without joint embeddings; as `compare`."""
        return self.compare(voices, voice_mask, faces, face_mask).similarity

    def grid_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """Similarity of every voice and every face, (V, F), without their joint embeddings; as `compare_all`."""
        return self.compare_all(voices, voice_mask, faces, face_mask).similarity

    def similarity(
        self, voice_tokens: Tensor, voice_mask: Tensor, face_tokens: Tensor, face_mask: Tensor
    ) -> Tensor:
        """Similarity of row i of the voices and row i of the faces, (P,); higher = same person.

        voice_tokens: (P, T, voice_dimension). face_tokens: (P, S, face_dimension). Masks: bool (P, T), (P, S).
        """
        voices, faces = self.encode_voices(voice_tokens), self.encode_faces(face_tokens)
        return self.compare(voices, voice_mask, faces, face_mask).similarity

    def similarity_matrix(
        self, voice_tokens: Tensor, voice_mask: Tensor, face_tokens: Tensor, face_mask: Tensor
    ) -> Tensor:
        """Similarity of every voice and every face, (V, F); higher = same person. Shapes as in `similarity`."""
        voices, faces = self.encode_voices(voice_tokens), self.encode_faces(face_tokens)
        return self.grid_similarity(voices, voice_mask, faces, face_mask)

    def attention_over_voice(
        self,
        voices: Tensor,  # noqa: ARG002
        voice_mask: Tensor,  # noqa: ARG002
        faces: Tensor,  # noqa: ARG002
        face_mask: Tensor,  # noqa: ARG002
    ) -> Tensor | None:
        """What the face looks at in the voice: the share of each voice token, (P, T), the sum 1 and 0 for padding.

        Arguments as in `compare`. None for a method that weighs the tokens of a voice without regard to the face.
        """
        return None

    def shared_points(self, encodings: Tensor, mask: Tensor) -> Tensor | None:  # noqa: ARG002
        """Items as points of a space in which a person's voices and faces should lie together, (n, d) of length 1.

        encodings: (n, T, width), of voices or of faces. mask: bool (n, T). None for a method without such a space.
        """
        return None
