"""Batches by identity: some people, several voices and several faces of each, from different videos.

Any voice of a person is paired with any of their faces in the same training language, whatever the videos that
they come from (re-pairing), and with the faces of everybody else in the batch. People are drawn without
repetition and pairs are labelled by who they show, so that no pair of one person is ever labelled "different".
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BatchIdentities:
    """Who the voices and the faces of a batch show.

    people: P, how many different people there are.
    voice_identities: int64 (P · voices per identity,). face_identities: int64 (P · faces per identity,). Rows of one
    person follow each other, and people stand in one order on both sides.
    """

    people: int
    voice_identities: Tensor
    face_identities: Tensor

    @property
    def same(self) -> Tensor:
        """Bool (voices, faces): whether each pair of the batch shows one person."""
        return self.voice_identities[:, None] == self.face_identities[None, :]

    def matching(self) -> tuple[Tensor, Tensor]:
        """Places in the batch (voices, faces) of every pair of one person; needs no device synchronisation."""
        return _matching_places(
            self.people,
            len(self.voice_identities) // self.people,
            len(self.face_identities) // self.people,
            self.voice_identities.device,
        )


@dataclass(frozen=True, kw_only=True)
class IdentityBatch(BatchIdentities):
    """The rows of a batch's items.

    voices: int64 (P · voices per identity,). faces: int64 (P · faces per identity,).
    """

    voices: Tensor
    faces: Tensor


@lru_cache(maxsize=32)
def _matching_places(people: int, voices: int, faces: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Every batch of one shape has the same matching places."""
    shape = (people, voices, faces)
    voice_places = torch.arange(people * voices, device=device).view(people, voices, 1)
    face_places = torch.arange(people * faces, device=device).view(people, 1, faces)
    return voice_places.expand(shape).flatten(), face_places.expand(shape).flatten()


class VideoTable:
    """Items of one modality by person and video, as tensors from which rows are drawn on the device.

    identities, videos: int64 (items,), both ascending: one video's items stand together, and so do one
    person's videos. Every identity from 0 to the highest must have an item; a video belongs to one person.
    """

    def __init__(self, identities: Tensor, videos: Tensor) -> None:
        _, counts = torch.unique_consecutive(videos, return_counts=True)
        self.video_first = counts.cumsum(0) - counts
        self.video_count = counts
        owners = identities[self.video_first]
        present, self.videos_of = torch.unique_consecutive(owners, return_counts=True)
        people = torch.arange(len(present), device=identities.device)
        if not torch.equal(present, people):
            raise ValueError("items must be ordered by identity and video, and every identity must have one")
        self.first_video_of = self.videos_of.cumsum(0) - self.videos_of
        self.slots = torch.arange(int(self.videos_of.max()), device=identities.device)

    @property
    def identities(self) -> int:
        """Number of people."""
        return len(self.videos_of)

    def draw(self, people: Tensor, items: int, generator: torch.Generator) -> Tensor:
        """Draw `items` rows of each person: (people, items).

        Each person's videos are visited in random order, one row a visit, from a random place on: rows come
        from different videos as long as there are videos, and differ as long as a video has rows.
        """
        device = people.device
        videos_of = self.videos_of[people][:, None]
        order = torch.rand(len(people), len(self.slots), generator=generator, device=device)
        order = order.masked_fill(self.slots >= videos_of, 2.0).argsort(dim=1)
        visit = torch.arange(items, device=device)
        video = self.first_video_of[people][:, None] + order.gather(1, visit % videos_of)
        start = torch.rand(len(people), len(self.slots), generator=generator, device=device)
        count = self.video_count[video]
        offset = (start.gather(1, visit % videos_of) * count).long().clamp_max(count - 1)
        return self.video_first[video] + (offset + visit // videos_of) % count


class IdentitySampler:
    """Endless batches of `identities` people, drawn on the device where the tables live.

    voices, faces: tables of the same people. identities: people in a batch; all of them when there are fewer.
    voices_per_identity, faces_per_identity: rows drawn of each person. generator: on the tables' device.
    """

    def __init__(
        self,
        voices: VideoTable,
        faces: VideoTable,
        *,
        identities: int,
        voices_per_identity: int,
        faces_per_identity: int,
        generator: torch.Generator,
    ) -> None:
        if voices.identities != faces.identities:
            raise ValueError(f"{voices.identities} people have voices and {faces.identities} have faces")
        self.voices, self.faces = voices, faces
        self.identities = min(identities, voices.identities)
        self.voices_per_identity = voices_per_identity
        self.faces_per_identity = faces_per_identity
        self.generator = generator

    def draw(self, batches: int) -> list[IdentityBatch]:
        """The next batches, drawn together: a few operations, however many they are."""
        device = self.generator.device
        chance = torch.rand(batches, self.voices.identities, generator=self.generator, device=device)
        people = chance.argsort(dim=1)[:, : self.identities].flatten()
        voices = self.voices.draw(people, self.voices_per_identity, self.generator)
        faces = self.faces.draw(people, self.faces_per_identity, self.generator)
        voice_identities = people[:, None].expand_as(voices)
        face_identities = people[:, None].expand_as(faces)
        sides = (voice_identities, face_identities, voices, faces)
        return [
            IdentityBatch(
                people=self.identities,
                voice_identities=shown_by_voices,
                face_identities=shown_by_faces,
                voices=voice_rows,
                faces=face_rows,
            )
            for shown_by_voices, shown_by_faces, voice_rows, face_rows in zip(
                *(side.reshape(batches, -1).unbind() for side in sides), strict=True
            )
        ]
