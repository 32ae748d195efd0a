import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.media.frames import drop_short, fill_gaps, frame_count, mask_of, spans_of

masks = st.binary(max_size=60).map(lambda values: np.frombuffer(values, np.uint8) % 2 == 1)


@given(masks)
def test_spans_and_masks_are_inverse(mask):
    spans = spans_of(mask)
    assert np.array_equal(mask_of(spans, len(mask)), mask)
    assert (spans[:, 0] < spans[:, 1]).all()
    assert (spans[1:, 0] > spans[:-1, 1]).all()


@given(masks, st.integers(0, 8))
def test_no_short_gap_and_no_short_stretch_is_left(mask, length):
    filled = fill_gaps(mask, length)
    inner = [(a, b) for a, b in spans_of(~filled) if a > 0 and b < len(mask)]
    assert all(b - a > length for a, b in inner)
    assert (filled | ~mask).all()
    kept = drop_short(mask, length)
    assert all(b - a >= length for a, b in spans_of(kept))
    assert not (kept & ~mask).any()


def test_gaps_at_the_ends_stay_open():
    mask = np.array([0, 1, 0, 1, 0], bool)
    assert fill_gaps(mask, 1).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (160, 1), (161, 2)])
def test_frames_cover_every_sample(samples, frames):
    assert frame_count(samples) == frames
