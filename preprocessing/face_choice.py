"""Which of the detected faces a photograph is about.

Each face scores

    prominence = probability · (side / side of the largest face) · exp(−distance² / (2 · spread²))

where `side` is the square root of the box's area and `distance` that of the box's centre from the image's, in half
diagonals of the image. The most prominent face is chosen; faces below the smallest probability never are. So a
person who is nearer to the camera wins over bystanders, unless the person stands at the border and
they in the middle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, sqrt

from preprocessing.face_detection import FaceDetection
from preprocessing.face_settings import FaceSettings

ONLY_FACE, MOST_PROMINENT = "only_face", "most_prominent"
LESS_PROMINENT, IMPROBABLE = "less_prominent", "improbable"


@dataclass(frozen=True)
class FaceChoice:
    """What was decided about one detected face, and why."""

    chosen: bool
    reason: str


def prominence(
    face: FaceDetection, largest_side_pixels: float, image_size: tuple[int, int], spread: float
) -> float:
    """The module's formula for one face; `image_size` is (height, width)."""
    height, width = image_size
    x, y = face.centre
    distance = hypot(x - width / 2, y - height / 2) / (hypot(width, height) / 2)
    return face.probability * (_side(face) / largest_side_pixels) * exp(-(distance**2) / (2 * spread**2))


def choose_face(
    faces: Sequence[FaceDetection], image_size: tuple[int, int], settings: FaceSettings
) -> list[FaceChoice]:
    """A decision for each face, in the order of `faces`; at most one is chosen."""
    probable = [
        index for index, face in enumerate(faces) if face.probability >= settings.smallest_probability
    ]
    choices = [FaceChoice(False, IMPROBABLE) for _ in faces]
    if not probable:
        return choices
    largest = max(_side(faces[index]) for index in probable)
    scores = {
        index: prominence(faces[index], largest, image_size, settings.centrality_spread) for index in probable
    }
    best = max(probable, key=lambda index: scores[index])
    for index in probable:
        choices[index] = FaceChoice(False, LESS_PROMINENT)
    choices[best] = FaceChoice(True, MOST_PROMINENT if len(probable) > 1 else ONLY_FACE)
    return choices


def _side(face: FaceDetection) -> float:
    return sqrt(max(face.width_pixels, 1.0) * max(face.height_pixels, 1.0))
