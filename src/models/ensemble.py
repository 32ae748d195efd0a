"""Several trained members that answer as one model: the mean of their log odds."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from src.models.association import AssociationModel, Comparison


class Ensemble(AssociationModel):
    """Members of one class, trained apart (other people held out, other seeds), averaged.

    The similarity is the mean of the members' similarities; `fused` is theirs, concatenated, (…, members · d).
    Encodings of the members stand side by side in the last dimension.

    members: at least one, with the same dimensions.
    """

    def __init__(self, members: Sequence[AssociationModel]) -> None:
        if not members:
            raise ValueError("an ensemble needs a member")
        first = members[0]
        super().__init__(
            first.voice_dimension, first.face_dimension, sum(member.fused_dimension for member in members)
        )
        self.members = nn.ModuleList(members)
        self.grid_pairs = min(member.grid_pairs for member in members)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """(V, T, voice_dimension) → (V, T, members · width)."""
        return torch.cat([member.encode_voices(tokens) for member in self._members()], dim=-1)

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """(F, S, face_dimension) → (F, S, members · width)."""
        return torch.cat([member.encode_faces(tokens) for member in self._members()], dim=-1)

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Rows with rows; see AssociationModel."""
        return _mean(
            [
                member.compare(voice, voice_mask, face, face_mask)
                for member, voice, face in self._sides(voices, faces)
            ]
        )

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Every voice with every face; see AssociationModel."""
        return _mean(
            [
                member.compare_all(voice, voice_mask, face, face_mask)
                for member, voice, face in self._sides(voices, faces)
            ]
        )

    def attention_over_voice(
        self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor
    ) -> Tensor | None:
        """The mean of the members'; see AssociationModel."""
        shares = [
            member.attention_over_voice(voice, voice_mask, face, face_mask)
            for member, voice, face in self._sides(voices, faces)
        ]
        known = [share for share in shares if share is not None]
        return torch.stack(known).mean(0) if len(known) == len(shares) else None

    def shared_points(self, encodings: Tensor, mask: Tensor) -> Tensor | None:
        """The members' points side by side, so that an inner product is the mean of theirs; see AssociationModel."""
        parts = encodings.chunk(len(self.members), dim=-1)
        points = [
            member.shared_points(part, mask) for member, part in zip(self._members(), parts, strict=True)
        ]
        known = [point for point in points if point is not None]
        return torch.cat(known, dim=-1) / len(points) ** 0.5 if len(known) == len(points) else None

    def condense(self, encodings: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Each member's own; see AssociationModel."""
        parts = [
            member.condense(part, mask)
            for member, part in zip(self._members(), encodings.chunk(len(self.members), dim=-1), strict=True)
        ]
        return torch.cat([part for part, _ in parts], dim=-1), parts[0][1]

    def row_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """The mean of the members'; see AssociationModel."""
        similarities = [
            member.row_similarity(voice, voice_mask, face, face_mask)
            for member, voice, face in self._sides(voices, faces)
        ]
        return torch.stack(similarities).mean(0)

    def grid_similarity(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Tensor:
        """The mean of the members'; see AssociationModel."""
        similarities = [
            member.grid_similarity(voice, voice_mask, face, face_mask)
            for member, voice, face in self._sides(voices, faces)
        ]
        return torch.stack(similarities).mean(0)

    def _members(self) -> list[AssociationModel]:
        return [member for member in self.members if isinstance(member, AssociationModel)]

    def _sides(self, voices: Tensor, faces: Tensor) -> list[tuple[AssociationModel, Tensor, Tensor]]:
        count = len(self.members)
        return list(
            zip(self._members(), voices.chunk(count, dim=-1), faces.chunk(count, dim=-1), strict=True)
        )


def _mean(comparisons: Sequence[Comparison]) -> Comparison:
    return Comparison(
        torch.stack([comparison.similarity for comparison in comparisons]).mean(0),
        torch.cat([comparison.fused for comparison in comparisons], dim=-1),
    )
