"""The keynote person of a folder of photographs: who is in most of them.

The vectors of all faces that may be chosen are clustered (agglomerative, average linkage on the cosine); each cluster is a
person, and the person in most photographs is the keynote person. Every number here is a count of photographs, not of
faces, so that a face which was found twice in one photograph does not count twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from preprocessing.clustering import centroids, similarities
from preprocessing.face_settings import FaceSettings
from src.core.errors import ConfigError

# face-compact: of crops of a generated world's training people 0.00 % of the pairs of one person are below it and 0.2 % of
# those of two above. vggface2: between what is published for pairs of photographs, cosine 0.46 to 0.70.
SAME_PERSON_SIMILARITY = {"face-compact": 0.6, "vggface2": 0.5}


@dataclass(frozen=True, kw_only=True)
class Keynote:
    """The keynote person of a folder.

    cluster: number of the person.
    is_clear: enough photographs agree for giving up those that do not show the person.
    """

    cluster: int
    is_clear: bool


def same_person_similarity(encoder: str, settings: FaceSettings) -> float:
    """Mean cosine similarity above which clusters of faces are one person.

    Raises ConfigError where neither the settings nor the table have it for the encoder.
    """
    if settings.same_person_similarity is not None:
        return settings.same_person_similarity
    if encoder not in SAME_PERSON_SIMILARITY:
        raise ConfigError(
            f"{encoder}: it is not known how similar two faces of one person are to it. Say so with "
            f"face.same_person_similarity, or name one of {', '.join(SAME_PERSON_SIMILARITY)} with --face-encoder."
        )
    return SAME_PERSON_SIMILARITY[encoder]


def cluster_faces(vectors: np.ndarray, similarity: float, most_clustered: int) -> np.ndarray:
    """Labels 0, 1, … of unit vectors (count, dimension): (count,).

    similarity: clusters whose faces have a mean cosine similarity above it are one person.
    most_clustered: of more vectors so many evenly chosen ones are clustered; every other one joins the most
        similar cluster.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    wanted = min(len(vectors), most_clustered)
    chosen = vectors[np.linspace(0, len(vectors) - 1, wanted).round().astype(int)]
    tree = linkage(chosen, method="average", metric="cosine")
    labels = fcluster(tree, 1 - similarity, criterion="distance").astype(np.int64) - 1
    if wanted == len(vectors):
        return labels
    return similarities(vectors, centroids(chosen, labels)).argmax(axis=1)


def find_keynote(labels: Sequence[int], photographs: Sequence[int], settings: FaceSettings) -> Keynote | None:
    """The person who is in more photographs than any other; None where there is none, or they are in one only.

    labels: person of each face that was compared. photographs: number of the photograph that each is in.
    """
    counts = Counter(label for label, _ in set(zip(labels, photographs, strict=True))).most_common(2)
    if not counts or counts[0][1] < 2 or (len(counts) > 1 and counts[1][1] == counts[0][1]):
        return None
    person, count = counts[0]
    is_majority = count > settings.majority_share * len(set(photographs))
    return Keynote(cluster=int(person), is_clear=is_majority and count >= settings.smallest_majority)
