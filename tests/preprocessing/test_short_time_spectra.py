from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import stft
from scipy.signal.windows import hann

from preprocessing.short_time_spectra import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    filter_spectra,
    frame_blocks,
    frame_total,
    power_of,
    spectra_of,
    windowed_frames,
)


@given(st.integers(1, 5000), st.integers(0, 2**32 - 1))
def test_gains_of_one_give_the_recording_back(sample_count, seed):
    samples = np.random.default_rng(seed).normal(size=sample_count).astype(np.float32)
    assert np.allclose(filter_spectra(samples, np.ones_like), samples, atol=2e-6)


def test_the_transform_is_the_usual_one():
    samples = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    window = np.sqrt(hann(FRAME_SAMPLES, sym=False))
    _, _, expected = stft(
        samples, window=window, nperseg=FRAME_SAMPLES, noverlap=HOP_SAMPLES, boundary=None, padded=False
    )
    own = spectra_of(windowed_frames(samples, 1, 1 + expected.shape[1]))
    assert np.allclose(own, expected.T * window.sum(), atol=1e-3)


def test_power_by_hand():
    assert power_of(np.array([[3 + 4j, 1j]], np.complex64)).tolist() == [[25, 1]]


@pytest.mark.parametrize("sample_count", [1, 255, 256, 257, 200_000])
def test_blocks_are_all_frames_and_frames_cover_all_samples(sample_count):
    blocks = list(frame_blocks(sample_count))
    assert blocks[0][0] == 0
    assert blocks[-1][1] == frame_total(sample_count)
    assert all(before[1] == after[0] for before, after in pairwise(blocks))
    assert (frame_total(sample_count) - 1) * HOP_SAMPLES >= sample_count - HOP_SAMPLES


def test_filtering_in_place_over_many_blocks_is_the_same():
    samples = np.random.default_rng(0).normal(size=300_000).astype(np.float32)
    apart = filter_spectra(samples, lambda power: 1 / (1 + power))
    assert filter_spectra(samples, lambda power: 1 / (1 + power), out=samples) is samples
    assert np.array_equal(samples, apart)
