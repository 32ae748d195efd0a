"""Batches by identity: composition, videos, re-pairing, and never a false negative."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.data.identity_sampler import IdentitySampler, VideoTable


@st.composite
def tables(draw):
    """Identity and video of each item: random numbers of videos a person and items a video."""
    shape = draw(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=2, max_size=7))
    identities, videos, video = [], [], 0
    for identity, counts in enumerate(shape):
        for count in counts:
            identities += [identity] * count
            videos += [video] * count
            video += 1
    return torch.tensor(identities), torch.tensor(videos)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@given(tables(), st.integers(1, 6), st.integers(0, 99))
def test_rows_show_the_person_asked_for_and_spread_over_videos(items, count, seed):
    identities, videos = items
    people = torch.arange(int(identities.max()) + 1)
    rows = VideoTable(identities, videos).draw(people, count, generator(seed))
    assert rows.shape == (len(people), count)
    assert torch.equal(identities[rows], people[:, None].expand_as(rows))
    for person, drawn in enumerate(rows):
        available = videos[identities == person].unique()
        assert len(videos[drawn].unique()) == min(count, len(available))
        visits = {int(video): int((videos[drawn] == video).sum()) for video in available}
        for video, visited in visits.items():
            size = int((videos == video).sum())
            different = len(drawn[videos[drawn] == video].unique())
            assert different == min(visited, size), "no row twice while the video has others"


@given(tables(), tables(), st.integers(2, 9), st.integers(0, 99))
def test_never_a_false_negative(voice_items, face_items, size, seed):
    people = 1 + min(int(voice_items[0].max()), int(face_items[0].max()))
    (voice_identities, voice_videos), (face_identities, face_videos) = (
        (identities[identities < people], videos[identities < people])
        for identities, videos in (voice_items, face_items)
    )
    sampler = IdentitySampler(
        VideoTable(voice_identities, voice_videos),
        VideoTable(face_identities, face_videos),
        identities=size,
        voices_per_identity=2,
        faces_per_identity=3,
        generator=generator(seed),
    )
    for _ in range(3):
        (batch,) = sampler.draw(1)
        truth = voice_identities[batch.voices][:, None] == face_identities[batch.faces][None, :]
        assert torch.equal(batch.same, truth)
        assert batch.people == len(batch.voice_identities.unique()) == min(size, people)
        voices, faces = batch.matching()
        listed = torch.zeros_like(truth)
        listed[voices, faces] = True
        assert torch.equal(listed, truth), "all pairs of one person, and no other"


def test_any_voice_meets_any_face_of_its_person():
    identities, videos = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 2, 3, 4])
    table = VideoTable(identities, videos)
    sampler = IdentitySampler(
        table,
        table,
        identities=2,
        voices_per_identity=1,
        faces_per_identity=1,
        generator=generator(),
    )
    met = set()
    for _ in range(200):
        (batch,) = sampler.draw(1)
        voices, faces = batch.matching()
        met |= set(zip(batch.voices[voices].tolist(), batch.faces[faces].tolist(), strict=True))
    assert met == {(v, f) for v in range(3) for f in range(3)} | {(v, f) for v in (3, 4) for f in (3, 4)}


def test_every_row_is_drawn():
    identities, videos = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([0, 0, 0, 1, 2])
    rows = VideoTable(identities, videos).draw(torch.zeros(400, dtype=torch.long), 1, generator())
    counts = rows.flatten().bincount(minlength=5)
    assert counts[4] == 0
    assert counts[3] > 150, "videos are drawn evenly, not items"
    assert (counts[:3] > 40).all()


def test_same_seed_same_batches():
    table = VideoTable(torch.arange(9) // 3, torch.arange(9) // 3)

    def draws(seed):
        sampler = IdentitySampler(
            table, table, identities=2, voices_per_identity=2, faces_per_identity=1, generator=generator(seed)
        )
        return [sampler.draw(1)[0].voices.tolist() for _ in range(4)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


def test_tables_must_be_ordered_and_agree():
    with pytest.raises(ValueError, match="ordered by identity"):
        VideoTable(torch.tensor([0, 2]), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="ordered by identity"):
        VideoTable(torch.tensor([0, 1, 0]), torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="2 people have voices and 1 have faces"):
        IdentitySampler(
            VideoTable(torch.tensor([0, 1]), torch.tensor([0, 1])),
            VideoTable(torch.tensor([0, 0]), torch.tensor([0, 1])),
            identities=2,
            voices_per_identity=1,
            faces_per_identity=1,
            generator=generator(),
        )
