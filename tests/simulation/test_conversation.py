import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.artifacts.turns import SpeakerTurn
from src.simulation.conversation import hold_conversation, overlap_share, speech_share
from src.simulation.speech_activity import find_speech, trim_silence

RATE = 16_000


_TIME = np.arange(5 * RATE) / RATE
_BUZZ = (0.3 * np.sin(2 * np.pi * 150 * _TIME) * ((_TIME > 0.3) & (_TIME < 4.3))).astype(np.float32)


def buzz(name, seconds):
    """A stand-in for a sentence: silence, four seconds of sound, silence."""
    return _BUZZ


def test_shares_by_hand():
    turns = [SpeakerTurn(0, 4, "a"), SpeakerTurn(3, 5, "b"), SpeakerTurn(6, 8, "a")]
    assert speech_share(turns, "a") == pytest.approx(6 / 8)
    assert overlap_share(turns) == pytest.approx(1 / 7)
    assert overlap_share(turns[:1]) == 0
    assert speech_share([], "a") == 0


def test_speech_is_found_where_it_is():
    (span,) = find_speech(buzz("a", 1))
    assert span == pytest.approx((0.3, 4.3), abs=0.03)
    assert len(trim_silence(buzz("a", 1))) == pytest.approx(4.0 * RATE, abs=0.06 * RATE)


def test_a_short_gap_belongs_to_the_turn_and_a_long_one_does_not():
    sound = np.ones(RATE, np.float32)
    assert len(find_speech(np.concatenate([sound, np.zeros(int(0.15 * RATE), np.float32), sound]))) == 1
    assert len(find_speech(np.concatenate([sound, np.zeros(int(0.40 * RATE), np.float32), sound]))) == 2
    assert find_speech(np.zeros(10, np.float32)) == []


@given(seed=st.integers(0, 10_000), others=st.integers(0, 2), duration=st.floats(5.5, 12))
def test_turns_lie_where_people_are_heard(seed, others, duration):
    names = ["b", "c"][:others]
    conversation = hold_conversation("a", names, buzz, duration, np.random.default_rng(seed))
    assert set(conversation.stems) == {"a", *names}
    for turn in conversation.turns:
        assert 0 <= turn.start_seconds < turn.end_seconds <= duration
        heard = conversation.stems[turn.speaker][
            int(turn.start_seconds * RATE) : int(turn.end_seconds * RATE)
        ]
        assert np.mean(heard != 0) > 0.9
    assert any(turn.speaker == "a" for turn in conversation.turns)


def test_the_main_speaker_talks_most_and_others_talk_over_them():
    stream = np.random.default_rng(3)
    held = [hold_conversation("a", ["b", "c"], buzz, 10, stream).turns for _ in range(60)]
    shares = [speech_share(turns, "a") for turns in held]
    assert min(shares) > 0.5 and max(shares) < 0.85
    assert np.mean([0.55 <= share <= 0.80 for share in shares]) > 0.95
    assert 0.05 < np.mean([overlap_share(turns) for turns in held]) < 0.15
