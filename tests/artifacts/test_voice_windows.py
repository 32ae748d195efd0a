import pytest

from src.artifacts.voice_windows import stored_window_starts, window_starts


def test_full_windows_only():
    assert window_starts(20, 20, 10, 9).tolist() == []
    assert window_starts(21, 20, 10, 9).tolist() == [0]
    assert window_starts(45, 20, 10, 9).tolist() == [0, 10, 20]


def test_of_more_windows_evenly_spread_ones():
    assert window_starts(1020, 20, 10, 5).tolist() == [0, 250, 500, 750, 1000]


def test_windows_of_a_store():
    settings = {"window_seconds": 2.0, "hop_seconds": 1.0, "most_windows": 32, "jittered_crops": 0}
    starts, window = stored_window_starts(4 * 16_000, 16_000, settings)
    assert (starts.tolist(), window) == ([0, 16_000, 32_000], 32_000)
    with pytest.raises(KeyError):
        stored_window_starts(4 * 16_000, 16_000, {})
