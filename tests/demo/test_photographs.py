from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.canvas import Canvas, Placement
from demo.face_description import Expression, describe_face, draw_expression
from demo.face_grid import WHOLE_GRID, blob, grid_columns, grid_rows, smooth_step
from demo.face_palette import SKIN_COLOURS, skin_colour
from demo.head import Head
from demo.identity_model import standard_model
from demo.photograph import PHOTOGRAPH_PIXELS, pose_alone, pose_with_bystander, take_photograph
from demo.portrait import Pose, face_box

FRONTAL = Pose(yaw=0.0, pitch=0.0, roll=0.0)


def face_of_class(person_class, seed=0):
    stream = np.random.default_rng(seed)
    return describe_face(standard_model().sample(person_class, stream), stream)


@pytest.fixture(scope="module")
def heads():
    return [Head(face_of_class(kind, kind)) for kind in range(8)]


@pytest.fixture(autouse=True)
def one_thread():
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    yield
    cv2.setNumThreads(before[0])
    torch.set_num_threads(before[1])


def overlap(first, second):
    """Intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return common / (sum(areas) - common)


def test_grid_coordinates_by_hand():
    assert smooth_step(0, 1, np.array([-1, 0.5, 2])).tolist() == [0, 0.5, 1]
    column, row = grid_columns(np.float32(0)), grid_rows(np.float32(0))
    hill = blob(WHOLE_GRID, 0, 0, 0.1, 0.1)
    assert np.unravel_index(hill.argmax(), hill.shape) == (round(row), round(column))
    window = WHOLE_GRID.window(-0.5, 0.5, 0, 1)
    assert window.cut(hill).shape == window.shape
    assert abs(window.x[0, 0] + 0.5) < 0.02 and abs(window.y[-1, 0] - 1) < 0.02


def test_skin_tones_run_from_light_to_dark():
    np.testing.assert_allclose(skin_colour(0), SKIN_COLOURS[0])
    np.testing.assert_allclose(skin_colour(1.5), SKIN_COLOURS[1:3].mean(axis=0))
    assert skin_colour(4.9).sum() < skin_colour(0.5).sum()


def test_a_face_is_a_function_of_identity_and_stream():
    assert face_of_class(3, 9) == face_of_class(3, 9)
    assert face_of_class(3, 9) != face_of_class(3, 10)


@given(seed=st.integers(0, 1000), kind=st.integers(0, 7))
def test_expressions_stay_in_their_ranges(seed, kind):
    expression = draw_expression(face_of_class(kind, seed), np.random.default_rng(seed))
    assert -0.5 <= expression.smile <= 1.2 and 0 <= expression.blink <= 0.3
    assert expression.mouth_opening >= 0


def test_an_expression_moves_mouth_and_eyes_only(heads):
    neutral = heads[0].express(Expression())
    smiling = heads[0].express(Expression(smile=1.0, gaze=1.0, mouth_opening=1.0))
    changed = np.abs(neutral.albedo - smiling.albedo).max(axis=2) > 0
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.min() > grid_rows(np.float32(-0.8)) and rows.max() < grid_rows(np.float32(1.5))
    np.testing.assert_array_equal(neutral.cover, smiling.cover)
    np.testing.assert_array_equal(neutral.albedo, heads[0].express(Expression()).albedo)


def test_a_darker_skin_is_darker():
    face = replace(face_of_class(1), beard=0.0, moustache=0.0, glasses=False)
    cheek = WHOLE_GRID.window(0.4, 0.6, 0.2, 0.4)
    light, dark = (
        cheek.cut(Head(replace(face, skin_tone=tone)).express(Expression()).albedo) for tone in (0.5, 4.0)
    )
    assert light.mean() > 1.5 * dark.mean()


def test_the_face_box_follows_place_and_size(heads):
    placement = Placement(center_x=100.0, center_y=90.0, pixels_per_unit=40.0)
    left, top, right, bottom = face_box(heads[0], FRONTAL, placement)
    assert left + right == pytest.approx(200, abs=1e-3)
    assert 60 < right - left < 90 and top < 90 < bottom
    assert bottom == pytest.approx(90 + 40 * heads[0].outline.bottom_y, abs=1e-3)
    twice = face_box(heads[0], FRONTAL, replace(placement, pixels_per_unit=80.0))
    assert twice[2] - twice[0] == pytest.approx(2 * (right - left), rel=1e-5)


def test_a_region_is_a_view_in_face_units():
    canvas = Canvas(pixels=np.zeros((50, 60, 3), np.float32), left=10, top=20)
    region = canvas.region(Placement(center_x=30.0, center_y=40.0, pixels_per_unit=10.0), -1, 1, -1, 1)
    assert region.x[0, 0] == -1 and region.y[0, 0] == -1
    region.blend(np.ones((*region.pixels.shape[:2], 3), np.float32), np.ones(region.pixels.shape[:2]))
    assert canvas.pixels[10:31, 10:31].all() and canvas.pixels.sum() == region.pixels.size
    assert canvas.region(Placement(center_x=500.0, center_y=40.0, pixels_per_unit=10.0), -1, 1, -1, 1) is None


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_a_bystander_is_smaller_in_the_picture_and_beside(heads, seed):
    stream = np.random.default_rng(seed)
    main, bystander = pose_with_bystander(heads[seed % 8], heads[(seed + 3) % 8], stream)
    assert overlap(main.box, bystander.box) < 0.05
    left, top, right, bottom = bystander.box
    assert (right - left) * (bottom - top) < 0.7 * (main.box[2] - main.box[0]) * (main.box[3] - main.box[1])
    assert left > -4 and top > 0 and right < PHOTOGRAPH_PIXELS + 4 and bottom < PHOTOGRAPH_PIXELS


def test_a_photograph_is_the_same_for_the_same_stream_and_can_be_a_part(heads):
    first, second = (np.random.default_rng(7) for _ in range(2))
    whole = take_photograph([pose_alone(heads[2], first)], first)
    again = take_photograph([pose_alone(heads[2], second)], second, (0, 0, 256, 256))
    np.testing.assert_array_equal(whole, again)
    assert whole.shape == (256, 256, 3) and whole.dtype == np.uint8
    part = take_photograph([pose_alone(heads[2], first)], first, (-20, 30, 120, 150))
    assert part.shape == (120, 140, 3)


def test_the_published_detector_finds_everybody_where_the_truth_says(heads):
    from facenet_pytorch import MTCNN

    detector, stream = MTCNN(keep_all=True, device="cpu"), np.random.default_rng(8)
    missed, wrong = 0, 0
    for number, head in enumerate(heads):
        sitters = list(pose_with_bystander(head, heads[number - 3], stream))
        with torch.inference_mode():
            boxes, probabilities = detector.detect(take_photograph(sitters[::-1], stream))
        found = [box for box, p in zip(boxes, probabilities, strict=True) if p > 0.9]
        matched = [max((overlap(box, sitter.box) for box in found), default=0) > 0.5 for sitter in sitters]
        missed += matched.count(False)
        wrong += len(found) > len(sitters)
    assert missed == 0 and wrong <= 1
