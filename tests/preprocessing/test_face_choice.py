from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.face_choice import choose_face, prominence
from preprocessing.face_detection import FaceDetection
from preprocessing.face_settings import FaceSettings

SETTINGS = FaceSettings(smallest_probability=0.8, centrality_spread=0.5)
SIZE = (300, 400)


def face(x, y, side, probability=1.0):
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return FaceDetection(box=box, landmarks=np.zeros((5, 2), np.float32), probability=probability)


def reasons(*faces):
    return [choice.reason for choice in choose_face(faces, SIZE, SETTINGS)]


def test_prominence_by_hand():
    # half diagonal of 400 x 300 is 250; (350, 150) is 150 from the centre: 0.6 half diagonals
    expected = 0.9 * (40 / 80) * exp(-(0.6**2) / (2 * 0.5**2))
    assert prominence(face(350, 150, 40, 0.9), 80, SIZE, 0.5) == pytest.approx(expected)


def test_the_reasons():
    assert reasons() == []
    assert reasons(face(200, 150, 80)) == ["only_face"]
    assert reasons(face(200, 150, 80, 0.79)) == ["improbable"]
    assert reasons(face(60, 60, 300, 0.5), face(200, 150, 80)) == ["improbable", "only_face"]
    assert reasons(face(60, 150, 50), face(250, 150, 80)) == ["less_prominent", "most_prominent"]


def test_of_equal_faces_the_central_one_and_of_central_ones_the_largest():
    assert reasons(face(20, 150, 80), face(200, 150, 80)) == ["less_prominent", "most_prominent"]
    assert reasons(face(150, 150, 90), face(250, 150, 80)) == ["most_prominent", "less_prominent"]


boxes = st.tuples(st.floats(0, 400), st.floats(0, 300), st.floats(0, 400), st.floats(0.7, 1))


@given(st.lists(boxes, max_size=8))
def test_one_is_chosen_exactly_when_one_is_probable(drawn):
    faces = [face(*values) for values in drawn]
    choices = choose_face(faces, SIZE, SETTINGS)
    assert sum(choice.chosen for choice in choices) == any(one.probability >= 0.8 for one in faces)
    assert all(one.probability >= 0.8 for one, choice in zip(faces, choices, strict=True) if choice.chosen)
