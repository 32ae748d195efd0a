from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.face_alignment import ARCFACE_TEMPLATE, align_face, similarity_transform


def similarity(scale, degrees, shift):
    cosine, sine = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def apply(transform, points):
    return points @ transform[:, :2].T + transform[:, 2]


shifts = st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000))


@given(st.floats(0.02, 50), st.floats(-180, 180), shifts)
def test_an_exact_similarity_is_found_exactly(scale, degrees, shift):
    transform = similarity(scale, degrees, shift)
    found = similarity_transform(ARCFACE_TEMPLATE, apply(transform, ARCFACE_TEMPLATE))
    np.testing.assert_allclose(found, transform, atol=1e-6 * max(1, scale))


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=5, max_size=5), st.integers(0, 5))
def test_no_other_similarity_is_closer(noise, seed):
    source = ARCFACE_TEMPLATE + np.array(noise)
    found = similarity_transform(source, ARCFACE_TEMPLATE)
    error = np.square(apply(found, source) - ARCFACE_TEMPLATE).sum()
    stream = np.random.default_rng(seed)
    for _ in range(20):
        turned = similarity(1 + stream.normal(0, 0.02), stream.normal(0, 2), stream.normal(0, 0.5, 2))
        other = turned @ np.vstack([found, [0, 0, 1]])
        assert np.square(apply(other, source) - ARCFACE_TEMPLATE).sum() >= error - 1e-9


def test_a_reflection_is_never_the_answer():
    mirrored = ARCFACE_TEMPLATE * [-1, 1]
    assert np.linalg.det(similarity_transform(mirrored, ARCFACE_TEMPLATE)[:, :2]) > 0


def test_a_transform_by_hand():
    # a square of side 1 around the origin to one of side 4 around (10, 20), a quarter turn further
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    target = np.array([[12, 18], [12, 22], [8, 22], [8, 18]])
    np.testing.assert_allclose(similarity_transform(square, target), [[0, -4, 10], [4, 0, 20]], atol=1e-12)


def test_points_that_are_all_one_are_refused():
    with pytest.raises(ValueError, match="all one"):
        similarity_transform(np.full((5, 2), 3.0), ARCFACE_TEMPLATE)


@cache
def smooth_picture(height, width):
    """A picture whose value at a place can be told: red grows with x, green with y."""
    rows, columns = np.mgrid[:height, :width]
    red, green = 255 * columns / width, 255 * rows / height
    return np.stack([red, green, np.full_like(red, 90)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5, 7.0])
@pytest.mark.parametrize("degrees", [0, 25, -70])
def test_landmarks_come_to_lie_on_the_template(scale, degrees):
    picture = smooth_picture(1200, 1600)
    landmarks = apply(similarity(scale, degrees, (600, 500)), ARCFACE_TEMPLATE - 56)
    crop = align_face(picture, landmarks)
    assert crop.shape == (112, 112, 3)
    for (x, y), (u, v) in zip(landmarks, ARCFACE_TEMPLATE, strict=True):
        seen = crop[round(v), round(u)].astype(float)
        rounding = 1.5 + scale * 0.5
        assert seen[0] == pytest.approx(255 * x / 1600, abs=rounding)
        assert seen[1] == pytest.approx(255 * y / 1200, abs=rounding)


def test_pixels_are_kept_where_nothing_has_to_move():
    picture = np.random.default_rng(0).integers(0, 256, (130, 150, 3), dtype=np.uint8)
    crop = align_face(picture, ARCFACE_TEMPLATE + np.array([20, 10]))
    assert np.abs(crop.astype(int) - picture[10:122, 20:132]).max() <= 1


@pytest.mark.parametrize("place", [(-40.0, 30.0), (500.0, 500.0), (90.0, -60.0)])
def test_beyond_the_border_the_outermost_pixels_are_repeated(place):
    crop = align_face(np.full((100, 120, 3), 77, np.uint8), ARCFACE_TEMPLATE + np.array(place))
    assert (crop == 77).all()


def test_a_large_face_is_averaged_not_sampled():
    checks = (255 * (np.indices((1600, 1600)).sum(axis=0) % 2)).astype(np.uint8)
    crop = align_face(cv2.merge([checks] * 3), (ARCFACE_TEMPLATE - 56) * 12.34 + 800)
    assert crop[20:90, 20:90].std() < 8
