from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing import keynote
from preprocessing.keynote import choose_segments, join_segments
from preprocessing.speaker_frames import SpeakerFrames
from preprocessing.speech_settings import KeynoteSettings

SETTINGS = KeynoteSettings(
    shortest_segment_seconds=0.3, padding_seconds=0.05, cross_fade_seconds=0.01, shortest_kept_seconds=0.5
)


def speakers(*turns, frames=400, uncertain=()):
    active = np.zeros((frames, 2), bool)
    certain = np.ones(frames, bool)
    for speaker, start, end in turns:
        active[start:end, speaker] = True
    for start, end in uncertain:
        certain[start:end] = False
    return SpeakerFrames(active=active, certain=certain)


@pytest.mark.parametrize(
    ("turns", "uncertain", "expected"),
    [
        ([(0, 100, 200)], [], [[95, 205]]),
        ([(0, 0, 400)], [], [[0, 400]]),
        ([(0, 100, 200), (1, 200, 300)], [], [[95, 200]]),  # no padding over somebody else
        ([(0, 100, 300), (1, 200, 220)], [], [[95, 200], [220, 305]]),  # overlapped speech
        ([(0, 100, 300), (1, 80, 400)], [], []),  # nothing but overlapped speech
        ([(0, 100, 200), (0, 203, 300)], [], [[95, 305]]),  # padding closes a small gap
        ([(0, 100, 200)], [(150, 160)], [[95, 150], [160, 205]]),
        ([(0, 100, 200), (0, 250, 270)], [], [[95, 205]]),  # too short a segment
        ([(0, 100, 140)], [], []),  # too little in all
        ([(0, 100, 300)], [(0, 400)], []),
        ([(1, 0, 400)], [], []),
        ([], [], []),
    ],
)
def test_what_is_kept(turns, uncertain, expected):
    assert choose_segments(speakers(*turns, uncertain=uncertain), SETTINGS).tolist() == expected


def test_overlapped_speech_is_kept_on_request():
    found = speakers((0, 100, 300), (1, 200, 400), uncertain=[(250, 260)])
    keep = replace(SETTINGS, keep_overlap=True)
    assert choose_segments(found, keep).tolist() == [[95, 250], [260, 300]]


spans = st.lists(st.tuples(st.integers(5, 40), st.integers(3, 60)), min_size=1, max_size=6).map(
    lambda pairs: np.cumsum(np.array(pairs).reshape(-1)).reshape(-1, 2)
)


@given(spans, st.sampled_from([0.0, 0.005, 0.01]))
def test_the_segment_map_leads_back_to_the_source(ranges, fade_seconds):
    samples = np.random.default_rng(0).normal(size=ranges[-1, 1] * 160 + 37).astype(np.float32)
    joined, segments = join_segments(samples.copy(), ranges, fade_seconds)
    fade = round(fade_seconds * 16000)
    for (start, end), segment in zip(ranges * 160, segments, strict=True):
        assert segment.start_seconds == start / 16000
        assert segment.end_seconds == end / 16000
        position = round(segment.position_seconds * 16000)
        untouched = slice(position + fade, position + (end - start) - fade)
        assert np.array_equal(joined[untouched], samples[start + fade : end - fade])
    last = segments[-1]
    assert len(joined) == round((last.position_seconds + last.end_seconds - last.start_seconds) * 16000)


def test_a_cross_fade_keeps_a_constant_level():
    joined, _ = join_segments(np.ones(8000, np.float32), np.array([[0, 10], [20, 40]]), 0.01)
    assert joined == pytest.approx(np.ones(30 * 160 - 160))


def test_joining_in_blocks_changes_nothing(monkeypatch):
    samples = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    ranges = np.array([[2, 30], [32, 50], [70, 100]])
    whole, _ = join_segments(samples.copy(), ranges, 0.01)
    monkeypatch.setattr(keynote, "_BLOCK_SAMPLES", 100)
    assert np.array_equal(join_segments(samples.copy(), ranges, 0.01)[0], whole)


def test_the_last_frame_may_be_cut_off():
    joined, segments = join_segments(np.ones(1000, np.float32), np.array([[2, 7]]), 0.01)
    assert len(joined) == 1000 - 320
    assert segments[0].end_seconds == 1000 / 16000
