import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.clustering import centroids, cluster_vectors, merge_similarity, similarities
from preprocessing.speech_settings import DiarizationSettings


def fixed(similarity, most=2000):
    """Settings that leave the recordings no say in the threshold."""
    return DiarizationSettings(
        lowest_merge_similarity=similarity, highest_merge_similarity=similarity, most_clustered_windows=most
    )


def people(counts, spread=0.1, dimension=32, seed=0):
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), counts)
    vectors = np.eye(dimension)[truth] + spread * generator.normal(size=(len(truth), dimension))
    order = generator.permutation(len(truth))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[order], truth[order]


def same_grouping(first, second):
    return np.array_equal(first[:, None] == first[None], second[:, None] == second[None])


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 1000))
def test_well_apart_speakers_are_found_whatever_their_number(counts, seed):
    vectors, truth = people(counts, spread=0.05, seed=seed)
    assert same_grouping(cluster_vectors(vectors, fixed(0.5)), truth)


def test_the_threshold_decides_the_number():
    vectors, _ = people([6, 6, 6])
    assert cluster_vectors(vectors, fixed(-1.0)).max() == 0
    assert cluster_vectors(vectors, fixed(1.0)).max() == len(vectors) - 1


def test_more_vectors_than_the_limit_join_the_chosen_ones():
    vectors, truth = people([60, 30, 20], spread=0.05)
    assert same_grouping(cluster_vectors(vectors, fixed(0.5, most=25)), truth)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_cluster(count):
    assert cluster_vectors(np.ones((count, 3)), fixed(0.5)).tolist() == [0] * count


def test_centroids_are_unit_means():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = centroids(vectors, np.array([0, 0, 1]))
    assert found == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0.0, -1.0]]))
    assert similarities(vectors[:1], found) == pytest.approx(np.array([[0.5**0.5, 0.0]]))


def test_the_threshold_follows_how_alike_the_windows_of_one_speaker_are():
    settings = DiarizationSettings(merge_share=0.8, lowest_merge_similarity=0.1, highest_merge_similarity=0.7)
    clear, _ = people([10, 2], spread=0.02)
    noisy, truth = people([10, 2], spread=0.15)
    assert merge_similarity(clear, settings) == pytest.approx(0.7)
    assert 0.1 < merge_similarity(noisy, settings) < 0.6
    assert same_grouping(cluster_vectors(noisy, settings), truth)
    strangers, _ = people([1] * 12, spread=0.02)
    assert merge_similarity(strangers, settings) == 0.1
