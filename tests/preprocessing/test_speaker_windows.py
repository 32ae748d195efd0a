import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.speaker_windows import embed_windows, place_windows
from preprocessing.speech_settings import DiarizationSettings
from src.media.frames import mask_of

SETTINGS = DiarizationSettings(
    window_seconds=1.5, hop_seconds=0.5, shortest_window_seconds=0.5, bridged_pause_seconds=0.3
)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((100, 250), [[100, 250]]),
        ((100, 350), [[100, 250], [150, 300], [200, 350]]),
        ((100, 260), [[100, 250], [110, 260]]),
        ((100, 210), [[100, 200], [110, 210]]),  # 1.1 s has windows of 1 s
        ((100, 120), [[85, 135]]),  # 0.2 s has one of 0.5 s around it
        ((0, 20), [[0, 50]]),
        ((380, 400), [[350, 400]]),
    ],
)
def test_windows_of_one_stretch(span, expected):
    assert place_windows(mask_of(np.array([span]), 400), SETTINGS).tolist() == expected


def test_a_short_pause_is_bridged_and_a_long_one_is_not():
    assert len(place_windows(mask_of(np.array([[0, 70], [90, 150]]), 200), SETTINGS)) == 1
    assert len(place_windows(mask_of(np.array([[0, 70], [110, 180]]), 200), SETTINGS)) == 4


def test_a_recording_shorter_than_any_window_has_none():
    assert place_windows(np.ones(40, bool), SETTINGS).shape == (0, 2)
    assert place_windows(np.zeros(400, bool), SETTINGS).shape == (0, 2)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 300)), max_size=5))
def test_windows_lie_in_the_recording_and_cover_all_speech(pairs):
    speech = mask_of(np.array([[start, start + length] for start, length in pairs]).reshape(-1, 2), 600)
    windows = place_windows(speech, SETTINGS)
    assert (windows >= 0).all()
    assert (windows <= 600).all()
    lengths = windows[:, 1] - windows[:, 0]
    assert set(lengths.tolist()) <= {50, 75, 100, 125, 150}
    assert not (speech & ~mask_of(windows, 600)).any()


def test_vectors_come_back_in_place_and_of_unit_length():
    def embed(batch):
        sizes.append(tuple(batch.shape))
        return torch.stack([batch.mean(dim=1), torch.ones(len(batch))], dim=1)

    sizes = []
    recordings = [np.arange(32000, dtype=np.float32), np.full(16000, 3, np.float32), np.zeros(0, np.float32)]
    windows = [np.array([[0, 150], [50, 200], [0, 100]]), np.array([[0, 100]]), np.zeros((0, 2), int)]
    vectors = embed_windows(recordings, windows, embed, batch_windows=2)
    assert sorted(sizes) == [(2, 16000), (2, 24000)]
    for recording, ranges, found in zip(recordings, windows, vectors, strict=True):
        assert found.shape == (len(ranges), 2)
        for (start, end), vector in zip(ranges, found, strict=True):
            expected = np.array([recording[start * 160 : end * 160].mean(), 1])
            assert vector == pytest.approx(expected / np.linalg.norm(expected), rel=1e-4)
