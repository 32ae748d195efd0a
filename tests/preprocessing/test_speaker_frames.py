import numpy as np

from preprocessing.speaker_frames import SpeakerFrames, number_by_talk
from src.artifacts.turns import SpeakerTurn


def frames(*spans, count=100, speakers=3):
    active = np.zeros((count, speakers), bool)
    for speaker, start, end in spans:
        active[start:end, speaker] = True
    return SpeakerFrames(active=active, certain=np.ones(count, bool))


def test_turns_may_overlap_and_are_in_order():
    found = frames((0, 50, 80), (1, 0, 60), (0, 90, 100))
    assert found.turns() == [
        SpeakerTurn(0.0, 0.6, "speaker01"),
        SpeakerTurn(0.5, 0.8, "speaker00"),
        SpeakerTurn(0.9, 1.0, "speaker00"),
    ]
    assert found.speech.tolist() == [True] * 80 + [False] * 10 + [True] * 10


def test_speakers_are_numbered_by_their_talk_over_the_whole_group():
    first, second = number_by_talk([frames((0, 0, 30)), frames((2, 0, 50), (0, 60, 70))])
    assert first.active.shape == second.active.shape == (100, 2)  # nobody is speaker 1
    assert first.active.sum(axis=0).tolist() == [0, 30]
    assert second.active.sum(axis=0).tolist() == [50, 10]


def test_silence_has_one_column_and_no_turn():
    assert number_by_talk([frames(count=10)])[0].active.shape == (10, 1)
