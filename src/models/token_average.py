"""Test-time averaging: a pair's answer as the mean over all pairs of one voice token and one face token.

A model usually looks at all windows of a recording and all crops of a photograph together. Here it sees one window and
one crop at a time, as methods of one vector a side were trained, and its answers are averaged.
"""

import torch
from torch import Tensor

from src.models.association import AssociationModel, Comparison

_MOST_PAIRS = 1 << 15


class TokenAverage(AssociationModel):
    """Any association model, asked of single tokens; similarities and joint embeddings are means over token pairs."""

    def __init__(self, model: AssociationModel) -> None:
        super().__init__(model.voice_dimension, model.face_dimension, model.fused_dimension)
        self.model = model

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """The model's own; see AssociationModel."""
        return self.model.encode_voices(tokens)

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """The model's own; see AssociationModel."""
        return self.model.encode_faces(tokens)

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        pair, voice_token, face_token = (voice_mask[:, :, None] & face_mask[:, None, :]).nonzero().unbind(1)
        similarity = voices.new_zeros(len(voices))
        fused = voices.new_zeros(len(voices), self.fused_dimension)
        blocks = (rows.split(_MOST_PAIRS) for rows in (pair, voice_token, face_token))
        for p, t, s in zip(*blocks, strict=True):
            one = torch.ones(len(p), 1, dtype=torch.bool, device=voices.device)
            found = self.model.compare(voices[p, t][:, None], one, faces[p, s][:, None], one)
            similarity.index_add_(0, p, found.similarity)
            fused.index_add_(0, p, found.fused)
        count = voice_mask.sum(1) * face_mask.sum(1)
        return Comparison(similarity / count, fused / count[:, None])

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        grid = len(voices), len(faces)
        voice = torch.arange(grid[0], device=voices.device).repeat_interleave(grid[1])
        face = torch.arange(grid[1], device=voices.device).repeat(grid[0])
        found = self.compare(voices[voice], voice_mask[voice], faces[face], face_mask[face])
        return Comparison(found.similarity.unflatten(0, grid), found.fused.unflatten(0, grid))
