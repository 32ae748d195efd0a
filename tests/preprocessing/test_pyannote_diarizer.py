"""The arithmetic around a pipeline, with a stub in its place."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyannote.core import Annotation, Segment

from preprocessing.pyannote_diarizer import PyannoteDiarizer, active_frames, join_recordings
from src.artifacts.turns import SpeakerTurn


@dataclass
class Output:
    speaker_diarization: Annotation


class Stub:
    """A pipeline that hears what it is told: turns (start, end, speaker) in seconds of the whole."""

    def __init__(self, *turns, wrapped=True):
        self.turns, self.wrapped, self.heard = turns, wrapped, []

    def __call__(self, file):
        assert file["sample_rate"] == 16000
        self.heard.append(file["waveform"].numpy()[0])
        annotation = Annotation()
        for number, (start, end, speaker) in enumerate(self.turns):
            annotation[Segment(start, end), number] = speaker
        return Output(annotation) if self.wrapped else annotation


def ones(seconds):
    return np.ones(round(seconds * 16000), np.float32)


def turns(frames):
    return [(turn.start_seconds, turn.end_seconds, turn.speaker) for turn in frames.turns()]


@pytest.mark.parametrize("wrapped", [True, False])
def test_overlapping_turns_are_overlapping_columns(wrapped):
    stub = Stub((0.5, 2, "B"), (1.5, 4.0, "A"), wrapped=wrapped)
    ((found,),) = PyannoteDiarizer(stub, {})([[ones(4)]])
    assert turns(found) == [(0.5, 2.0, "speaker01"), (1.5, 4.0, "speaker00")]
    assert (found.active.sum(axis=1) == 2).sum() == 50
    assert found.certain.all()


def test_turns_go_back_into_their_files_and_end_with_them():
    # the second recording starts at 2.01 + 1.00 s, the third at 3.01 + 1.0 + 1.0 s
    stub = Stub((0.5, 1.0, "A"), (1.8, 3.5, "B"), (3.9, 5.31, "A"), (5.2, 5.5, "B"))
    ((first, second, third),) = PyannoteDiarizer(stub, {})([[ones(2.0001), ones(1), ones(0.5)]])
    assert len(stub.heard) == 1
    # B talks for 0.21 + 0.49 + 0.3 s, A for 0.5 + 0.11 + 0.3 s
    assert turns(first) == [(0.5, 1.0, "speaker01"), (1.8, 2.01, "speaker00")]
    assert turns(second) == [(0.0, 0.49, "speaker00"), (0.89, 1.0, "speaker01")]
    assert turns(third) == [(0.0, 0.3, "speaker01"), (0.19, 0.49, "speaker00")]


def test_groups_go_through_one_by_one():
    stub = Stub((0.0, 1.0, "A"))
    one, two = PyannoteDiarizer(stub, {})([[ones(2)], [ones(3)]])
    assert [len(heard) for heard in stub.heard] == [32000, 48000]
    assert turns(one[0]) == turns(two[0]) == [(0.0, 1.0, "speaker00")]


def test_nobody_is_one_silent_column():
    ((first, second),) = PyannoteDiarizer(Stub(), {})([[ones(1), ones(1)]])
    assert first.active.shape == (100, 1)
    assert not first.speech.any()
    assert not second.turns()


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=5))
def test_every_recording_starts_on_a_whole_frame_after_a_second_of_silence(lengths):
    group = [np.full(length, index + 1, np.float32) for index, length in enumerate(lengths)]
    together, starts = join_recordings(group)
    for index, start in enumerate(starts):
        after = together[start * 160 :]
        assert (after[: lengths[index]] == index + 1).all()
        assert not after[lengths[index] : lengths[index] + 16000].any()


def test_turns_beyond_the_ends_are_cut():
    active = active_frames([SpeakerTurn(-0.1, 0.05, "A"), SpeakerTurn(0.08, 0.5, "B")], 10)
    assert active.T.tolist() == [[True] * 5 + [False] * 5, [False] * 8 + [True] * 2]
