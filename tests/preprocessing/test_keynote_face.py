import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.face_settings import FaceSettings
from preprocessing.keynote_face import Keynote, cluster_faces, find_keynote, same_person_similarity
from src.core.errors import ConfigError

SETTINGS = FaceSettings()


def around(axis, count, spread=0.3):
    vectors = np.eye(4)[axis] + spread * np.random.default_rng(axis).normal(size=(count, 4))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def partition(labels):
    return {frozenset(np.flatnonzero(labels == label)) for label in set(labels.tolist())}


@pytest.mark.parametrize("most_clustered", [1000, 6])
def test_people_are_told_apart(most_clustered):
    vectors = np.concatenate([around(0, 5, 0.1), around(1, 4, 0.1), around(2, 1, 0.1)])
    labels = cluster_faces(vectors, 0.6, most_clustered)
    assert labels[:5].tolist() == [labels[0]] * 5
    assert labels[5:9].tolist() == [labels[5]] * 4
    assert labels[0] != labels[5]


def test_the_similarity_is_the_mean_between_clusters():
    # 60 and 20 degrees apart: cosines 0.5 and 0.94; the pair joins first, then the mean to the third is 0.63
    angles = np.radians([0, 20, 60])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mean = (np.cos(np.radians(60)) + np.cos(np.radians(40))) / 2
    assert partition(cluster_faces(vectors, mean + 0.01, 10)) == {frozenset({0, 1}), frozenset({2})}
    assert partition(cluster_faces(vectors, mean - 0.01, 10)) == {frozenset({0, 1, 2})}


def test_one_face_is_one_person_and_none_is_nobody():
    assert cluster_faces(np.ones((1, 4)), 0.6, 10).tolist() == [0]
    assert cluster_faces(np.zeros((0, 4)), 0.6, 10).tolist() == []


@pytest.mark.parametrize(
    ("labels", "photographs", "expected"),
    [
        ([], [], None),
        ([0], [0], None),  # one photograph agrees with nobody
        ([0, 1], [0, 1], None),
        ([0, 0], [0, 1], Keynote(cluster=0, is_clear=False)),  # two agree, three must for being clear
        ([0, 0, 1], [0, 0, 1], None),  # twice in one photograph is once
        ([0, 1, 0, 1], [0, 0, 1, 1], None),  # a tie
        ([0, 1, 0, 1, 1], [0, 0, 1, 1, 2], Keynote(cluster=1, is_clear=True)),
        ([0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5], Keynote(cluster=0, is_clear=False)),  # half is no majority
        ([0, 0, 0, 1, 2], [0, 1, 2, 3, 4], Keynote(cluster=0, is_clear=True)),
    ],
)
def test_the_keynote_person_is_in_most_photographs(labels, photographs, expected):
    assert find_keynote(labels, photographs, SETTINGS) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=20), st.randoms())
def test_the_order_of_faces_does_not_matter_and_a_clear_person_is_in_a_majority(faces, random):
    labels, photographs = [label for label, _ in faces], [number for _, number in faces]
    keynote = find_keynote(labels, photographs, SETTINGS)
    shuffled = random.sample(faces, len(faces))
    assert keynote == find_keynote([one[0] for one in shuffled], [one[1] for one in shuffled], SETTINGS)
    if keynote and keynote.is_clear:
        showing = {number for label, number in faces if label == keynote.cluster}
        assert len(showing) >= 3
        assert 2 * len(showing) > len(set(photographs))


def test_the_similarity_of_one_person_is_the_settings_or_the_encoders():
    assert same_person_similarity("face-compact", SETTINGS) == 0.6
    assert same_person_similarity("any", FaceSettings(same_person_similarity=0.3)) == 0.3
    with pytest.raises(ConfigError, match=r"face\.same_person_similarity"):
        same_person_similarity("any", SETTINGS)
