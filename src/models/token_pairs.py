"""What methods share that know one vector a side: each token of a voice meets each token of a face.

A method that compares one voice vector with one face vector, and is not a distance, says nothing of several tokens.
Here its log odds and its joint embedding of a pair are weighted means over all pairs of tokens; with one token a
side they are the method's own.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from src.models.association import AssociationModel, Comparison


class TokenPairModel(AssociationModel):
    """An association model that compares token with token, and averages over the pairs of tokens.

    Face tokens weigh the same; voice tokens as the method says.
    """

    @abstractmethod
    def combine(self, voices: Tensor, faces: Tensor) -> Comparison:
        """Compare tokens.

        voices, faces: encodings (..., width), of shapes that broadcast. Returns similarity (...) and fused (..., d).
        """

    @abstractmethod
    def voice_weights(self, mask: Tensor) -> Tensor:
        """Weight of each voice token: bool (..., T) → float (..., T), 0 for padding, the sum 1."""

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        similarity, fused = self.combine(voices[:, :, None], faces[:, None])
        voice_weight, face_weight = self.voice_weights(voice_mask), uniform_weights(face_mask)
        return Comparison(
            torch.einsum("pts,pt,ps->p", similarity, voice_weight, face_weight),
            torch.einsum("ptsd,pt,ps->pd", fused, voice_weight, face_weight),
        )

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        similarity, fused = self.combine(voices[:, None, :, None], faces[None, :, None])
        voice_weight, face_weight = self.voice_weights(voice_mask), uniform_weights(face_mask)
        return Comparison(
            torch.einsum("vfts,vt,fs->vf", similarity, voice_weight, face_weight),
            torch.einsum("vftsd,vt,fs->vfd", fused, voice_weight, face_weight),
        )


def uniform_weights(mask: Tensor) -> Tensor:
    """Equal weights of the tokens that the mask keeps: bool (..., T), one true at least → float (..., T)."""
    return mask.float() / mask.sum(-1, keepdim=True)
