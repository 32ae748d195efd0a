"""The keynote diarizer, with marks made by hand."""

import numpy as np
import pytest
import torch

from preprocessing.keynote_diarizer import KeynoteDiarizer
from preprocessing.speaker_frames import KEYNOTE
from preprocessing.speech_settings import KeynoteDiarizerSettings
from preprocessing.target_speaker import Chunk, TargetSpeakerMarker


def chunk(first_frame, talkers, loudness=1.0):
    """A chunk whose local vectors say who talks: one index a token, -1 for nobody."""
    vectors = torch.zeros(1, len(talkers), 3)
    for token, talker in enumerate(talkers):
        if talker >= 0:
            vectors[0, token, talker] = loudness
    return Chunk(0, first_frame, np.zeros(1600 * len(talkers)), torch.zeros(1, 1, 1), vectors)


class MarkerByHand(TargetSpeakerMarker):
    """Unprompted it marks whoever has most tokens of a chunk, prompted whom it is asked for."""

    def __init__(self, chunks):
        self.chunks = chunks

    def read(self, recordings):
        return self.chunks

    def mark(self, chunks, prompts):
        found = []
        for one, prompt in zip(chunks, prompts, strict=True):
            vectors = one.vectors[0]
            asked = prompt if prompt.any() else torch.eye(3)[int(vectors.sum(dim=0).argmax())]
            own = vectors @ asked
            both = torch.stack([own, vectors.sum(dim=1) - own], dim=1)
            found.append(np.repeat(both.numpy().clip(0, 1), 10, axis=0))
        return found


@pytest.fixture(scope="module")
def shipped():
    return KeynoteDiarizer(KeynoteDiarizerSettings(), torch.device("cpu"))


def diarize(chunks, monkeypatch, shipped):
    monkeypatch.setattr(shipped, "_marker", MarkerByHand(chunks))
    frames = max(one.first_frame + one.frames for one in chunks)
    ((found,),) = shipped([[np.zeros(frames * 160, np.float32)]])
    return found


def test_the_keynote_speaker_is_one_person_in_all_chunks(monkeypatch, shipped):
    # somebody else talks most in the second chunk, which hears the keynote speaker too
    found = diarize([chunk(0, [0] * 9 + [1]), chunk(100, [1] * 6 + [0] * 4)], monkeypatch, shipped)
    assert found.active[:, KEYNOTE].tolist() == [True] * 90 + [False] * 70 + [True] * 40
    assert found.active[:, 1].tolist() == [False] * 90 + [True] * 70 + [False] * 40


def test_what_is_hardly_the_keynote_speakers_is_theirs_but_not_certain(monkeypatch, shipped):
    found = diarize([chunk(0, [0] * 10), chunk(100, [0] * 5 + [1] * 5, loudness=0.6)], monkeypatch, shipped)
    assert found.active[:150, KEYNOTE].all()
    assert found.certain.tolist() == [True] * 100 + [False] * 50 + [True] * 50


def test_an_empty_group_and_a_click_have_no_speaker(shipped):
    ((found,),) = shipped([[np.zeros(800, np.float32)]])
    assert found.active.shape == (5, 2)
    assert not found.active.any()
