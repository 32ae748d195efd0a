"""Which test media seem to be of one person: clusters of their embeddings, without any label of theirs.

Agglomerative, average linkage on the cosine. Where to stop is learnt on training people: the distance at which clusters
of their media agree best with who they are (adjusted Rand index), on as many media as there are to cluster, since the
nearest stranger is nearer in a larger crowd.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from src.artifacts.embedding_store import EmbeddingStore
from src.core.errors import StoreError
from src.core.seeding import random_stream

MOST_CLUSTERED = 20_000  # 1.6 GB of distances
_FEWEST_MEDIA = 4
_CANDIDATES = 64


@dataclass(frozen=True)
class StoppingDistance:
    """Mean cosine distance at which clusters are joined no more, and how well it told training people apart.

    agreement: adjusted Rand index there, 1 = every cluster is one person and every person one cluster.
    media, people: what it was learnt on.
    """

    distance: float
    agreement: float
    media: int
    people: int


def unit_means(store: EmbeddingStore, places: np.ndarray) -> np.ndarray:
    """The direction of each item: the normalised mean of its normalised tokens, float32 (places, dimension)."""
    items = store.items
    rows = []
    for first, count in zip(
        items["first"].to_numpy()[places], items["count"].to_numpy()[places], strict=True
    ):
        tokens = store.vectors[first : first + count]
        rows.append(_unit(tokens).mean(axis=0))
    return _unit(np.stack(rows))


def cluster_media(vectors: np.ndarray, distance: float) -> np.ndarray:
    """Labels 0, 1, … of unit vectors (items, dimension): int64 (items,).

    Raises StoreError for more than MOST_CLUSTERED items, whose distances would not fit into memory.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    labels: np.ndarray = fcluster(_tree(vectors), distance, criterion="distance").astype(np.int64) - 1
    return labels


def learn_distance(vectors: np.ndarray, people: ArrayLike, wanted_media: int) -> StoppingDistance:
    """Learn where to stop on training media.

    vectors: unit (items, dimension). people: who each is of, (items,). wanted_media: of about so many media, whole people
    at a time. Raises StoreError where there are too few people with several media.
    """
    person = np.asarray(people)
    names, counts = np.unique(person, return_counts=True)
    if (counts > 1).sum() < 2 or len(vectors) < _FEWEST_MEDIA:
        raise StoreError(
            f"clusters are learnt on training people with several media each; the store holds {len(vectors)} of "
            f"{len(names)} people"
        )
    order = random_stream("clustered people").permutation(len(names))
    enough = int(np.searchsorted(np.cumsum(counts[order]), min(wanted_media, MOST_CLUSTERED))) + 1
    chosen = np.isin(person, names[order[: max(enough, 2)]])
    if len(np.unique(person[chosen])) == chosen.sum():  # nobody among them has two media
        chosen[:] = True
    tree = _tree(vectors[chosen])
    candidates = np.unique(np.quantile(tree[:, 2], np.linspace(0, 1, _CANDIDATES)))
    between = (candidates[1:] + candidates[:-1]) / 2 if len(candidates) > 1 else candidates
    agreements = [
        adjusted_rand_score(person[chosen], fcluster(tree, cut, criterion="distance")) for cut in between
    ]
    best = int(np.argmax(agreements))
    return StoppingDistance(
        float(between[best]),
        float(agreements[best]),
        int(chosen.sum()),
        len(np.unique(person[chosen])),
    )


def _tree(vectors: np.ndarray) -> np.ndarray:
    if len(vectors) > MOST_CLUSTERED:
        raise StoreError(
            f"{len(vectors)} media are too many to cluster; at most {MOST_CLUSTERED}. Score parts of the list, or leave "
            "--transductive away"
        )
    tree: np.ndarray = linkage(vectors.astype(np.float64), method="average", metric="cosine")
    tree[:, 2] = np.maximum(tree[:, 2], 0.0)  # equal vectors may lie a rounding below 0 apart
    return tree


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return unit
