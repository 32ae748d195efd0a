import numpy as np
import pytest

from src.scoring.report.voice_excerpt import (
    Attention,
    AttentionWindow,
    spectrogram_pixels,
    voice_excerpt,
)


def attention(shares, whole=0.1):
    windows = [AttentionWindow(float(start), 2.0, share) for start, share in enumerate(shares)]
    return Attention(whole, 1 / (len(shares) + 1), windows)


def test_bars_stand_in_the_middle_of_their_windows_and_are_as_high_as_their_share():
    found = voice_excerpt(np.zeros(4 * 16_000, np.float32), attention([0.2, 0.5, 0.2]))
    assert (found.start_seconds, found.seconds, found.total_seconds) == (0, 4, 4)
    assert [(bar.left, bar.width) for bar in found.bars] == [(12.5, 25), (37.5, 25), (62.5, 25)]
    assert [bar.height for bar in found.bars] == pytest.approx([40, 100, 40])
    assert found.alike == pytest.approx(50)


def test_of_a_long_recording_the_window_that_was_looked_at_most_is_heard():
    shares = np.full(19, 0.02)
    shares[15] = 0.6
    found = voice_excerpt(np.zeros(20 * 16_000, np.float32), attention(shares.tolist()))
    assert (found.start_seconds, found.seconds) == (12, 8)
    assert max(found.bars, key=lambda bar: bar.height).left == pytest.approx(100 * 3.5 / 8)
    assert all(bar.left >= 0 and bar.left + bar.width <= 100.001 for bar in found.bars)


def test_even_attention_says_so():
    assert attention([0.25, 0.25, 0.25], whole=0.25).is_even
    assert not attention([0.2, 0.5, 0.2]).is_even


def test_a_voice_without_attention_or_too_short_for_windows():
    assert voice_excerpt(np.zeros(100, np.float32), None).bars == []
    assert voice_excerpt(np.zeros(100, np.float32), attention([], whole=1.0)).bars == []


def test_a_tone_is_a_bright_line_at_its_frequency():
    time = np.arange(16_000) / 16_000
    pixels = spectrogram_pixels(np.sin(2 * np.pi * 2000 * time).astype(np.float32), 320, 96)
    assert pixels.shape == (96, 320, 3)
    brightest = pixels.sum(axis=2).mean(axis=1).argmax()
    assert brightest == pytest.approx(96 * (1 - 2000 / 8000), abs=2)
