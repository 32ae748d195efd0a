"""Clusters of media: who belongs together, and where to stop."""

import numpy as np
import pytest

from src.core.errors import StoreError
from src.scoring import media_clusters
from src.scoring.media_clusters import cluster_media, learn_distance


def media_of_people(people, each, spread, seed):
    """Unit vectors around a direction of each person, and who each is of."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(people, 16))
    vectors = np.repeat(centres, each, axis=0) + spread * generator.normal(size=(people * each, 16))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.repeat(np.arange(people), each)


def test_what_was_learnt_on_some_people_finds_others():
    stop = learn_distance(*media_of_people(40, 4, 0.25, seed=1), wanted_media=80)
    assert stop.agreement > 0.99
    assert 80 <= stop.media <= 84
    vectors, people = media_of_people(20, 4, 0.25, seed=2)
    labels = cluster_media(vectors, stop.distance)
    assert len(set(zip(labels, people, strict=True))) == len(set(labels)) == 20


def test_small_and_large_lists(monkeypatch):
    assert cluster_media(np.ones((1, 4)), 0.5).tolist() == [0]
    assert cluster_media(np.ones((3, 4)) / 2, 0.1).tolist() == [0, 0, 0]
    monkeypatch.setattr(media_clusters, "MOST_CLUSTERED", 2)
    with pytest.raises(StoreError, match="3 media are too many"):
        cluster_media(np.eye(3), 0.5)


def test_people_with_one_medium_each_teach_nothing():
    with pytest.raises(StoreError, match="several media each"):
        learn_distance(np.eye(6), np.arange(6), 6)
