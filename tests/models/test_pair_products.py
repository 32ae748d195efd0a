"""Two-branch scoring: equal to one pair at a time, whatever the blocks; refusals."""

import numpy as np
import pytest
import torch

from src.models.pair_products import encode_in_blocks, pair_products


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_equals_one_pair_at_a_time(dtype, tolerance):
    generator = np.random.default_rng(0)
    voices, faces = generator.normal(size=(5, 37)).astype(dtype), generator.normal(size=(7, 37)).astype(dtype)
    voice_rows, face_rows = [0, 4, 4, 2, 1], [6, 0, 0, 3, 5]
    found = pair_products(voices, faces, voice_rows, face_rows)
    assert found.dtype == dtype
    expected = [float(voices[v] @ faces[f]) for v, f in zip(voice_rows, face_rows, strict=True)]
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_by_hand_and_in_any_layout():
    voices, faces = np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[5.0, 7.0]])
    np.testing.assert_array_equal(pair_products(voices, faces, [1, 0], [0, 0]), [21.0, 19.0])
    turned = np.asfortranarray(voices)
    np.testing.assert_array_equal(pair_products(turned, faces, np.array([1], np.int32), [0]), [21.0])


def test_what_is_not_finite_stays_so():
    vectors = np.array([[np.nan, 1.0], [1.0, 1.0]], dtype=np.float32)
    np.testing.assert_array_equal(pair_products(vectors, vectors, [0, 1], [1, 1]), [np.nan, 2.0])


def test_no_pair_makes_no_product():
    assert pair_products(np.ones((2, 3)), np.ones((2, 3)), [], []).shape == (0,)


@pytest.mark.parametrize("rows", [1, 3, 5, 100])
def test_blocks_of_a_branch_are_the_whole(rows):
    vectors = torch.arange(10.0).reshape(5, 2)
    torch.testing.assert_close(
        encode_in_blocks(lambda block: block[:, :1] ** 2, vectors, rows), vectors[:, :1] ** 2
    )


def test_refuses():
    ones = np.ones((2, 3))
    with pytest.raises(ValueError, match="no vector"):
        encode_in_blocks(torch.relu, torch.zeros(0, 3))
    with pytest.raises(ValueError, match="share no space"):
        pair_products(ones, np.ones((2, 4)), [0], [0])
    with pytest.raises(ValueError, match="make no pairs"):
        pair_products(ones, ones, [0], [0, 1])
    for wrong in ([2], [-1], [[0]]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            pair_products(ones, ones, wrong, [0])
