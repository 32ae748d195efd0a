import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.speaker_assignment import assign_speakers, best_path, frame_similarities
from preprocessing.speaker_windows import place_windows
from preprocessing.speech_settings import DiarizationSettings
from src.media.frames import mask_of

NOBODY = -1
SETTINGS = DiarizationSettings(
    hop_seconds=0.5,
    lowest_merge_similarity=0.5,
    highest_merge_similarity=0.5,
    switch_cost=0.1,
    ambiguity_margin=0.1,
)


@given(st.integers(1, 6), st.integers(1, 3), st.floats(0, 2), st.integers(0, 1000))
def test_the_best_path_is_the_best_of_all_paths(frames, labels, switch_cost, seed):
    scores = np.random.default_rng(seed).normal(size=(frames, labels))

    def value(path):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return sum(scores[frame, label] for frame, label in enumerate(path)) - switch_cost * changes

    best = max(value(path) for path in itertools.product(range(labels), repeat=frames))
    assert value(best_path(scores, switch_cost)) == pytest.approx(best)


def test_frames_take_the_mean_of_the_windows_over_them():
    windows = np.array([[0, 3], [1, 4]])
    found = frame_similarities(windows, np.array([[1.0], [0.0]]), 5)[:, 0]
    assert found[[0, 3]].tolist() == [1.0, 0.0]
    assert found[1] == pytest.approx(1 / (1 + 0.25))  # middle of the first, edge of the second
    assert np.isnan(found[4])


def conversation(truth, windows, generator, spread=0.02):
    """Vectors whose direction is the mix of the people speaking in each window."""
    people = np.eye(8)
    vectors = np.stack([people[truth[start:end]].mean(axis=0) for start, end in windows])
    vectors += spread * generator.normal(size=vectors.shape)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def diarize(truths, settings=SETTINGS):
    generator = np.random.default_rng(0)
    speech = [truth >= 0 for truth in truths]
    windows = [place_windows(mask, settings) for mask in speech]
    vectors = [
        conversation(truth, ranges, generator) if len(ranges) else np.zeros((0, 8))
        for truth, ranges in zip(truths, windows, strict=True)
    ]
    return assign_speakers(speech, windows, vectors, settings)


def turns_of(*turns, frames):
    truth = np.full(frames, NOBODY)
    for speaker, start, end in turns:
        truth[start:end] = speaker
    return truth


def speakers_of(found):
    """Who speaks in each frame, where at most one does."""
    assert found.active.sum(axis=1).max(initial=0) <= 1
    return np.where(found.speech, found.active.argmax(axis=1), NOBODY)


def test_speakers_are_told_apart_and_numbered_by_how_much_they_talk():
    truth = turns_of((3, 0, 300), (5, 340, 900), (3, 940, 1100), frames=1200)
    (found,) = diarize([truth])
    assert (speakers_of(found)[truth == 5] == 0).all()
    assert (speakers_of(found)[truth == 3] == 1).all()
    assert (speakers_of(found)[truth == NOBODY] == NOBODY).all()
    assert [(turn.start_seconds, turn.end_seconds, turn.speaker) for turn in sorted(found.turns())] == [
        (0.0, 3.0, "speaker01"),
        (3.4, 9.0, "speaker00"),
        (9.4, 11.0, "speaker01"),
    ]


def test_a_change_without_a_pause_is_found_near_its_place_and_is_not_certain():
    truth = turns_of((0, 0, 400), (1, 400, 700), frames=700)
    (found,) = diarize([truth])
    assert (speakers_of(found) != truth).sum() <= 25
    assert not found.certain[395:405].any()
    assert found.certain[50:300].all()


def test_recordings_of_one_group_share_their_speakers():
    mostly_guest = turns_of((2, 0, 150), (4, 200, 500), frames=500)
    host = turns_of((2, 0, 800), frames=800)
    first, second = diarize([mostly_guest, host])
    assert (speakers_of(first)[mostly_guest == 2] == 0).all()
    assert (speakers_of(first)[mostly_guest == 4] == 1).all()
    assert (speakers_of(second) == 0).all()
    alone = diarize([mostly_guest])[0]
    assert (speakers_of(alone)[mostly_guest == 4] == 0).all()


def test_one_speaker_alone_is_certain():
    (found,) = diarize([turns_of((0, 0, 500), frames=500)])
    assert found.certain.all()


def test_nobody_and_too_short_recordings_have_no_turns():
    silent, short, spoken = diarize(
        [np.full(300, NOBODY), np.zeros(40, int), turns_of((0, 0, 300), frames=300)]
    )
    assert not silent.turns()
    assert not short.turns()
    assert len(spoken.turns()) == 1
    assert not diarize([np.full(300, NOBODY)])[0].turns()


def test_masks_limit_the_speakers():
    truth = mask_of(np.array([[20, 200], [215, 400]]), 500)
    (found,) = diarize([np.where(truth, 0, NOBODY)])
    assert np.array_equal(speakers_of(found) == 0, truth)
