"""Speaker vectors to speakers, without knowing how many there are."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from preprocessing.speech_settings import DiarizationSettings

_USUAL_PERCENTILE = 60.0


def cluster_vectors(vectors: np.ndarray, settings: DiarizationSettings) -> np.ndarray:
    """Labels 0, 1, … of unit vectors (count, dimension): (count,).

    Agglomerative clustering with average linkage on the cosine: two clusters are one speaker while the mean
    similarity between their members is above `merge_similarity`. Of more vectors than the settings' most
    evenly chosen ones are clustered; every other one joins the most similar cluster.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    wanted = min(len(vectors), settings.most_clustered_windows)
    chosen = vectors[np.linspace(0, len(vectors) - 1, wanted).round().astype(int)]
    tree = linkage(chosen, method="average", metric="cosine")
    labels = fcluster(tree, 1 - merge_similarity(chosen, settings), criterion="distance").astype(np.int64) - 1
    if wanted == len(vectors):
        return labels
    return similarities(vectors, centroids(chosen, labels)).argmax(axis=1)


def merge_similarity(vectors: np.ndarray, settings: DiarizationSettings) -> float:
    """Mean similarity above which two clusters are one speaker, for these unit vectors (count, dimension)."""
    pairs = similarities(vectors, vectors)[np.triu_indices(len(vectors), 1)]
    usual = float(np.percentile(pairs, _USUAL_PERCENTILE))
    lowest, highest = settings.lowest_merge_similarity, settings.highest_merge_similarity
    return float(np.clip(settings.merge_share * usual, lowest, highest))


def centroids(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Unit-length mean of the vectors of each label: (labels, dimension)."""
    count = int(labels.max()) + 1 if len(labels) else 0
    means = np.stack([vectors[labels == label].mean(axis=0) for label in range(count)])
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def similarities(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Cosine similarity of unit vectors: (count, dimension) and (centres, dimension) to (count, centres)."""
    return vectors @ centres.T
