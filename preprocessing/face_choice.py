"""Which of the detected faces a photograph is about.

Each face scores

    prominence = probability · (side / largest side) · exp(−distance² / (2 · spread²)) · (sharpness / greatest sharpness)^e

where `side` is the square root of the box's area and `distance` that of the box's centre from the image's, in half
diagonals of the image; the largest and the greatest are those of the image's probable faces. So a person who is nearer
to the camera wins over bystanders, unless the person stands at the border and they in the middle, or they are in focus
and the person is not. Faces below the smallest probability are never chosen.

A photograph by itself is about its most prominent face. One of a folder is about the folder's keynote person
(`preprocessing.keynote_face`), whose most prominent face it takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, sqrt

from preprocessing.face_detection import FaceDetection
from preprocessing.face_measures import MeasuredFace
from preprocessing.face_settings import FaceSettings
from preprocessing.keynote_face import Keynote

ONLY_FACE, MOST_PROMINENT, KEYNOTE_PERSON = "only_face", "most_prominent", "keynote_person"
UNCLEAR_FOLDER = "unclear_folder"
LESS_PROMINENT, OTHER_PERSON, IMPROBABLE = "less_prominent", "other_person", "improbable"
NO_CLUSTER = -1


@dataclass(frozen=True, kw_only=True)
class FaceChoice:
    """What was decided about one detected face, and why.

    cluster: number of the person within the folder; -1 where faces were not compared.
    """

    chosen: bool
    reason: str
    cluster: int = NO_CLUSTER


def prominences(
    faces: Sequence[MeasuredFace], image_size: tuple[int, int], settings: FaceSettings
) -> list[float]:
    """The module's formula for each face, 0 for improbable ones; `image_size` is (height, width)."""
    probable = [face for face in faces if face.detection.probability >= settings.smallest_probability]
    if not probable:
        return [0.0] * len(faces)
    largest_side = max(_side(face.detection) for face in probable)
    greatest_sharpness = max(max(face.sharpness for face in probable), 1e-6)
    height, width = image_size
    scores = []
    for face in faces:
        x, y = face.detection.centre
        distance = hypot(x - width / 2, y - height / 2) / (hypot(width, height) / 2)
        scores.append(
            face.detection.probability
            * (_side(face.detection) / largest_side)
            * max(exp(-(distance**2) / (2 * settings.centrality_spread**2)), 1e-9)
            * max(face.sharpness / greatest_sharpness, 1e-6) ** settings.sharpness_exponent
            if face.detection.probability >= settings.smallest_probability
            else 0.0
        )
    return scores


def most_prominent(scores: Sequence[float], count: int) -> list[int]:
    """Places of the faces that may be chosen, the most prominent first, at most `count`."""
    probable = [place for place, score in enumerate(scores) if score > 0]
    return sorted(probable, key=lambda place: -scores[place])[:count]


def choose_alone(scores: Sequence[float]) -> list[FaceChoice]:
    """A decision for each face of a photograph by itself; at most one is chosen. `scores`: its prominences."""
    order = most_prominent(scores, len(scores))
    reason = MOST_PROMINENT if len(order) > 1 else ONLY_FACE
    return _choose(scores, order[:1], reason, {})


def choose_of_folder(
    scores: Sequence[float], clusters: dict[int, int], keynote: Keynote | None
) -> list[FaceChoice]:
    """A decision for each face of one photograph of a folder; at most one is chosen.

    scores: its prominences. clusters: cluster of each face that was compared, by its place.
    keynote: the folder's; None where no person is in more photographs than any other.
    """
    order = most_prominent(scores, len(scores))
    of_keynote = [place for place in order if keynote and clusters.get(place) == keynote.cluster]
    if of_keynote:
        return _choose(scores, of_keynote[:1], KEYNOTE_PERSON, clusters, keynote)
    if keynote and keynote.is_clear:
        return _choose(scores, [], "", clusters, keynote)
    return _choose(scores, order[:1], UNCLEAR_FOLDER, clusters)


def _choose(
    scores: Sequence[float],
    chosen: list[int],
    reason: str,
    clusters: dict[int, int],
    keynote: Keynote | None = None,
) -> list[FaceChoice]:
    choices = []
    for place, score in enumerate(scores):
        cluster = clusters.get(place, NO_CLUSTER)
        is_other = keynote is not None and cluster not in (NO_CLUSTER, keynote.cluster)
        refused = IMPROBABLE if score <= 0 else OTHER_PERSON if is_other else LESS_PROMINENT
        is_chosen = place in chosen
        choices.append(FaceChoice(chosen=is_chosen, reason=reason if is_chosen else refused, cluster=cluster))
    return choices


def _side(face: FaceDetection) -> float:
    return sqrt(max(face.width_pixels, 1.0) * max(face.height_pixels, 1.0))
