"""Linear alignment: finds what two modalities share, and switches off what holds by chance alone."""

import numpy as np
import pytest

from src.models.canonical_correlation import AlignmentSettings, IdentityItems, fit_alignment

SETTINGS = AlignmentSettings(components=4, principal_components=8, shrinkage=0.001)


def modality(shared, items, seed):
    """Items that show `shared` (n, k) among six directions of their own, mixed, with noise."""
    random = np.random.default_rng(seed)
    people = np.concatenate([shared, random.normal(size=(len(shared), 6))], axis=1)
    identities = np.repeat(np.arange(len(shared)), items)
    mixed = people @ random.normal(size=(people.shape[1], 10)) + random.normal(size=10)
    return IdentityItems(mixed[identities] + 0.1 * random.normal(size=(len(identities), 10)), identities)


def test_finds_what_is_shared_and_not_more():
    shared = np.random.default_rng(0).normal(size=(120, 2))
    voices, faces = modality(shared, 3, 1), modality(shared, 4, 2)
    alignment = fit_alignment(voices, faces, SETTINGS)
    assert (alignment.correlations[:2] > 0.85).all()
    assert (alignment.correlations[2:] < 0.4).all()
    left, right = alignment.voice(voices.means()), alignment.face(faces.means())
    assert (np.abs([np.corrcoef(left[:, k], right[:, k])[0, 1] for k in range(2)]) > 0.9).all()


def test_directions_are_scaled_by_what_holds_for_strangers():
    shared = np.random.default_rng(0).normal(size=(60, 1))
    voices, faces = modality(shared, 3, 1), modality(shared, 4, 2)
    alignment = fit_alignment(voices, faces, SETTINGS)
    np.testing.assert_allclose(alignment.voice(voices.vectors).std(0), alignment.correlations, atol=1e-9)
    np.testing.assert_allclose(alignment.face(faces.vectors).std(0), alignment.correlations, atol=1e-9)


def test_chance_is_switched_off():
    random = np.random.default_rng(3)
    voices, faces = modality(random.normal(size=(40, 2)), 3, 1), modality(random.normal(size=(40, 2)), 3, 2)
    assert fit_alignment(voices, faces, SETTINGS).correlations.max() < 0.5


def test_few_people_give_few_directions():
    shared = np.random.default_rng(0).normal(size=(8, 2))
    alignment = fit_alignment(
        modality(shared, 2, 1),
        modality(shared, 2, 2),
        AlignmentSettings(components=12, principal_components=48, shrinkage=1.0),
    )
    assert alignment.voice.projection.shape[1] == 7
    assert np.isfinite(alignment.voice.projection).all()


def test_means_and_renumbering():
    items = IdentityItems(np.array([[1.0], [3.0], [5.0], [7.0]]), np.array([0, 0, 1, 2]))
    np.testing.assert_allclose(items.means(), [[2.0], [5.0], [7.0]])
    kept = items.of(np.array([True, False, True]))
    np.testing.assert_array_equal(kept.identities, [0, 0, 1])
    np.testing.assert_allclose(kept.means(), [[2.0], [7.0]])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_scale_of_the_embeddings_does_not_count(scale):
    shared = np.random.default_rng(0).normal(size=(50, 2))
    voices, faces = modality(shared, 3, 1), modality(shared, 4, 2)
    scaled = IdentityItems(scale * voices.vectors, voices.identities)
    expected, found = fit_alignment(voices, faces, SETTINGS), fit_alignment(scaled, faces, SETTINGS)
    np.testing.assert_allclose(found.correlations, expected.correlations, atol=1e-6)
