from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.face_choice import choose_alone, choose_of_folder, most_prominent, prominences
from preprocessing.face_detection import FaceDetection
from preprocessing.face_measures import MeasuredFace
from preprocessing.face_settings import FaceSettings
from preprocessing.keynote_face import Keynote

SETTINGS = FaceSettings(smallest_probability=0.8, centrality_spread=0.5, sharpness_exponent=0.5)
SIZE = (300, 400)


def face(x, y, side, probability=1.0, sharpness=100.0):
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    detection = FaceDetection(box=box, landmarks=np.zeros((5, 2), np.float32), probability=probability)
    return MeasuredFace(
        detection=detection, sharpness=sharpness, yaw_degrees=0.0, pitch_degrees=0.0, roll_degrees=0.0
    )


def reasons(*faces):
    return [choice.reason for choice in choose_alone(prominences(faces, SIZE, SETTINGS))]


def test_prominence_by_hand():
    # half diagonal of 400 x 300 is 250; (350, 150) is 150 from the centre: 0.6 half diagonals
    small, large = prominences([face(350, 150, 40, 0.9, 25), face(200, 150, 80)], SIZE, SETTINGS)
    assert small == pytest.approx(0.9 * (40 / 80) * exp(-(0.6**2) / (2 * 0.5**2)) * (25 / 100) ** 0.5)
    assert large == 1


def test_the_reasons():
    assert reasons() == []
    assert reasons(face(200, 150, 80)) == ["only_face"]
    assert reasons(face(200, 150, 80, 0.79)) == ["improbable"]
    assert reasons(face(60, 60, 300, 0.5), face(200, 150, 80)) == ["improbable", "only_face"]
    assert reasons(face(60, 150, 50), face(250, 150, 80)) == ["less_prominent", "most_prominent"]


def test_of_like_faces_the_central_the_largest_and_the_sharpest():
    assert reasons(face(20, 150, 80), face(200, 150, 80)) == ["less_prominent", "most_prominent"]
    assert reasons(face(150, 150, 90), face(250, 150, 80)) == ["most_prominent", "less_prominent"]
    assert reasons(face(150, 150, 80, sharpness=20), face(250, 150, 80)) == [
        "less_prominent",
        "most_prominent",
    ]


def test_faces_without_any_sharpness_can_be_chosen():
    assert reasons(face(150, 150, 80, sharpness=0), face(350, 150, 80, sharpness=0)) == [
        "most_prominent",
        "less_prominent",
    ]


CLEAR, UNCLEAR = Keynote(cluster=7, is_clear=True), Keynote(cluster=7, is_clear=False)


@pytest.mark.parametrize(
    ("clusters", "keynote", "expected"),
    [
        ({0: 3, 1: 7}, CLEAR, ["other_person", "keynote_person", "improbable"]),
        ({0: 3, 1: 7}, UNCLEAR, ["other_person", "keynote_person", "improbable"]),
        ({0: 7, 1: 7}, CLEAR, ["keynote_person", "less_prominent", "improbable"]),
        ({0: 3, 1: 4}, CLEAR, ["other_person", "other_person", "improbable"]),
        ({0: 3, 1: 4}, UNCLEAR, ["unclear_folder", "less_prominent", "improbable"]),
        ({0: 3, 1: 4}, None, ["unclear_folder", "less_prominent", "improbable"]),
        ({0: 3}, CLEAR, ["other_person", "less_prominent", "improbable"]),
    ],
)
def test_a_folder_decides(clusters, keynote, expected):
    choices = choose_of_folder([0.9, 0.4, 0.0], clusters, keynote)
    assert [choice.reason for choice in choices] == expected
    assert [choice.cluster for choice in choices] == [clusters.get(place, -1) for place in range(3)]
    chosen = {"keynote_person", "unclear_folder"}
    assert [choice.chosen for choice in choices] == [reason in chosen for reason in expected]


def test_the_most_prominent_of_many():
    assert most_prominent([0.2, 0.0, 0.9, 0.5], 2) == [2, 3]
    assert most_prominent([0.2, 0.0], 5) == [0]


boxes = st.tuples(
    st.floats(0, 400), st.floats(0, 300), st.floats(0, 400), st.floats(0.7, 1), st.floats(0, 5000)
)


@given(st.lists(boxes, max_size=8))
def test_one_is_chosen_exactly_when_one_is_probable(drawn):
    faces = [face(*values) for values in drawn]
    choices = choose_alone(prominences(faces, SIZE, SETTINGS))
    assert sum(choice.chosen for choice in choices) == any(one.detection.probability >= 0.8 for one in faces)
    for one, choice in zip(faces, choices, strict=True):
        assert one.detection.probability >= 0.8 or not choice.chosen


@given(st.lists(boxes, max_size=8), st.integers(0, 2), st.booleans(), st.randoms())
def test_a_folder_never_chooses_an_improbable_face_nor_somebody_else_when_it_is_clear(
    drawn, person, is_clear, random
):
    faces = [face(*values) for values in drawn]
    scores = prominences(faces, SIZE, SETTINGS)
    clusters = {place: random.randint(0, 2) for place in most_prominent(scores, 5)}
    choices = choose_of_folder(scores, clusters, Keynote(cluster=person, is_clear=is_clear))
    chosen = [place for place, choice in enumerate(choices) if choice.chosen]
    assert len(chosen) <= 1
    assert all(faces[place].detection.probability >= 0.8 for place in chosen)
    if is_clear:
        assert all(choices[place].cluster == person for place in chosen)
        assert len(chosen) == (person in clusters.values())
