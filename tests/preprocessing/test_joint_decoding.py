"""Sets of speakers, against the likelihood of every set written out."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from preprocessing.joint_decoding import decide
from preprocessing.speech_settings import ResegmentationSettings

PLAIN = ResegmentationSettings(smoothing_seconds=0.01, activity_log_odds=0.0, certain_margin=1.0)


def decided(answers, heard=None, settings=PLAIN):
    """answers: (frames, speakers, 2)."""
    answers = np.asarray(answers, np.float32)
    heard = np.ones(len(answers), bool) if heard is None else np.array(heard)
    return decide(heard, answers.swapaxes(0, 1), settings)


def likelihoods(frame):
    """Log likelihood of every set of at most two speakers, by definition."""
    speakers = range(len(frame))
    found = {}
    for members in [(), *((one,) for one in speakers), *combinations(speakers, 2)]:
        total = 0.0
        for speaker, (own, others) in enumerate(frame):
            total += np.log(own if speaker in members else 1 - own)
            total += np.log(others if set(members) - {speaker} else 1 - others)
        found[members] = total
    return found


@given(
    arrays(np.float64, st.tuples(st.just(6), st.integers(1, 4), st.just(2)), elements=st.floats(0.01, 0.99))
)
def test_the_likeliest_set_has_the_frame(answers):
    found = decided(answers)
    for frame, active in zip(answers, found.active, strict=True):
        sets = likelihoods(frame)
        assert sets[tuple(np.flatnonzero(active))] == pytest.approx(max(sets.values()), abs=1e-4)


def test_what_one_prompt_says_of_the_others_finds_overlap():
    # the second speaker's own prompt is unsure, the first one's is sure that somebody speaks along
    unsure, alone = [[0.9, 0.9], [0.45, 0.9]], [[0.9, 0.1], [0.45, 0.9]]
    assert decided([unsure, alone]).active.tolist() == [[True, True], [True, False]]


def test_voice_activity_decides_where_the_answers_do_not():
    even = [[[0.5, 0.5]]] * 2
    settings = ResegmentationSettings(smoothing_seconds=0.01, activity_log_odds=1.0)
    assert decided(even, [True, False], settings).active[:, 0].tolist() == [True, False]


def test_answers_are_averaged_over_neighbouring_frames():
    frames = [[[0.9, 0.1]]] * 20
    frames[10] = [[0.2, 0.1]]
    assert not decided(frames).active[10, 0]
    assert decided(frames, settings=ResegmentationSettings(smoothing_seconds=0.05)).active.all()


def test_one_who_hardly_leads_is_not_certain_and_overlap_is_no_doubt():
    close = [[0.6, 0.5], [0.5, 0.6]]  # log odds of 0.41 from the own answers, 0.41 from those about others
    clear = [[0.9, 0.1], [0.1, 0.9]]
    along = [[0.9, 0.45], [0.4, 0.9]]  # the second may speak too, but hardly alone
    both = [[0.9, 0.9], [0.9, 0.9]]
    nobody = [[0.1, 0.1], [0.1, 0.1]]
    found = decided([close, clear, along, both, nobody])
    assert found.active.tolist() == [
        [True, False],
        [True, False],
        [True, False],
        [True, True],
        [False, False],
    ]
    assert found.certain.tolist() == [False, True, True, True, True]


def test_frames_that_no_chunk_reaches_are_nobodys():
    assert not decided(np.zeros((7, 3, 2))).active.any()
    assert decided(np.zeros((0, 2, 2))).active.shape == (0, 2)
