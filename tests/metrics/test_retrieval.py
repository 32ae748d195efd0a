"""Retrieval: hand-computed numbers, an independent derivation, blocks, ties, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from src.core.errors import ListError
from src.metrics.retrieval import dot_product_blocks, retrieval

GALLERY = ["b", "a", "a", "c"]


def test_hand_computed():
    # probe a: order a, b, a, c -> AP (1/1 + 2/3) / 2, first rank 1. probe b: order a, a, b, c -> AP 1/3, first rank 3
    outcome = retrieval([[[0.2, 0.1, 0.3, 0.9], [0.3, 0.1, 0.2, 0.9]]], ["a", "b"], GALLERY)
    np.testing.assert_allclose(outcome.average_precisions, [5 / 6, 1 / 3])
    np.testing.assert_array_equal(outcome.first_ranks, [1, 3])
    assert outcome.mean_average_precision == pytest.approx(7 / 12)
    assert [outcome.recall_at(rank) for rank in (1, 2, 3)] == [0.5, 0.5, 1.0]


def test_a_tie_counts_against_the_system():
    outcome = retrieval([[[0.5, 0.5, 0.5, 0.5]]], ["a"], GALLERY)
    np.testing.assert_allclose(outcome.average_precisions, [2 / 4])
    np.testing.assert_array_equal(outcome.first_ranks, [4])


@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 30))
def test_equals_a_derivation_probe_by_probe(seed, probes, block_rows):
    generator = np.random.default_rng(seed)
    gallery = np.append(generator.integers(0, 4, 20), np.arange(4))
    people = generator.integers(0, 4, probes)
    scores = generator.integers(0, 9, (probes, 24)).astype(float)
    blocks = [scores[start : start + block_rows] for start in range(0, probes, block_rows)]
    outcome = retrieval(blocks, people, gallery)
    expected = [
        average_precision_score(gallery == who, -line) for who, line in zip(people, scores, strict=True)
    ]
    np.testing.assert_allclose(outcome.average_precisions, expected, atol=1e-12)
    first = [(line <= line[gallery == who].min()).sum() for who, line in zip(people, scores, strict=True)]
    np.testing.assert_array_equal(outcome.first_ranks, first)


def test_blocks_of_products_are_the_whole_table():
    generator = np.random.default_rng(2)
    probes, gallery = generator.normal(size=(7, 3)), generator.normal(size=(5, 3))
    blocks = list(dot_product_blocks(probes, gallery, block_numbers=10))
    assert [len(block) for block in blocks] == [2, 2, 2, 1]
    np.testing.assert_allclose(np.concatenate(blocks), -probes @ gallery.T)


def test_both_ways_with_exact_embeddings_are_perfect():
    voices, faces = np.eye(4), np.eye(4)[[2, 0, 3, 1]]
    people = ["ann", "bob", "cid", "dee"]
    there = retrieval(dot_product_blocks(voices, faces), people, [people[i] for i in (2, 0, 3, 1)])
    back = retrieval(dot_product_blocks(faces, voices), [people[i] for i in (2, 0, 3, 1)], people)
    assert there.mean_average_precision == back.mean_average_precision == 1.0


def test_refuses():
    with pytest.raises(ListError, match=r"1 of 2 \(rows 1\) probes show a person .* such as z"):
        retrieval([np.zeros((2, 4))], ["a", "z"], GALLERY)
    with pytest.raises(ListError, match="hold 1 rows"):
        retrieval([np.zeros((1, 4))], ["a", "b"], GALLERY)
    with pytest.raises(ListError, match="does not fit"):
        retrieval([np.zeros((3, 4))], ["a", "b"], GALLERY)
    with pytest.raises(ListError, match="does not fit"):
        retrieval([np.zeros((2, 3))], ["a", "b"], GALLERY)
    with pytest.raises(ListError, match="finite"):
        retrieval([np.full((2, 4), np.nan)], ["a", "b"], GALLERY)
    with pytest.raises(ListError, match="at least one"):
        retrieval([], [], GALLERY)
    with pytest.raises(ValueError, match="count from 1"):
        retrieval([np.zeros((1, 4))], ["a"], GALLERY).recall_at(0)
