"""The photographs of one folder between detection and choice: faces, and small crops instead of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from preprocessing.face_alignment import align_face
from preprocessing.face_choice import FaceChoice, choose_alone, choose_of_folder, most_prominent, prominences
from preprocessing.face_crop import crop_face
from preprocessing.face_detection import FaceDetection
from preprocessing.face_measures import MeasuredFace, measure_face
from preprocessing.face_settings import FaceSettings
from preprocessing.keynote_face import cluster_faces, find_keynote, same_person_similarity
from src.artifacts.sources import SourceRecord
from src.media.image import DecodedImage
from src.media.jpeg import decode_jpeg, encode_jpeg


class FaceComparer(Protocol):
    """What tells people apart: a named encoder of square crops."""

    name: str

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors (count, dimension) of crops, RGB uint8 (height, width, 3) each."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Crops:
    """Of one face, as JPEGs: the one that is written where the face is chosen, and the one that is compared."""

    output: bytes
    compared: bytes


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """What is kept of a photograph once its faces are found.

    height_pixels, width_pixels: of the full image.
    scale: what takes (x, y) of the faces, which are in pixels of the image as it was read, to the full image.
    faces: all that were found. prominences: of each, 0 where it may not be chosen.
    crops: of the faces that may be chosen, by their place in `faces`.
    """

    record: SourceRecord
    height_pixels: int
    width_pixels: int
    scale: tuple[float, float]
    faces: list[MeasuredFace]
    prominences: list[float]
    crops: dict[int, _Crops]


def measure_photograph(
    record: SourceRecord, image: DecodedImage, detections: Sequence[FaceDetection], settings: FaceSettings
) -> Photograph:
    """Measure and cut out what was found in an image, which is not needed any more then."""
    pixels = image.pixels
    faces = [measure_face(pixels, detection) for detection in detections]
    scores = prominences(faces, pixels.shape[:2], settings)
    candidates = most_prominent(scores, settings.most_candidates if settings.face_choice == "folder" else 1)
    return Photograph(
        record=record,
        height_pixels=image.height_pixels,
        width_pixels=image.width_pixels,
        scale=image.scale,
        faces=faces,
        prominences=scores,
        crops={place: _cut(pixels, faces[place].detection, settings) for place in candidates},
    )


def _cut(pixels: np.ndarray, face: FaceDetection, settings: FaceSettings) -> _Crops:
    square = encode_jpeg(
        crop_face(pixels, face, settings.crop_margin, settings.crop_side_pixels), settings.jpeg_quality
    )
    if settings.crop == "square":
        return _Crops(output=square, compared=square)
    aligned = align_face(pixels, face.landmarks)
    return _Crops(output=encode_jpeg(aligned, settings.jpeg_quality), compared=square)


def must_be_compared(folder: Sequence[Photograph], settings: FaceSettings) -> bool:
    """Whether who is who in a folder can matter: it has several photographs with faces, and one with several faces."""
    counts = [sum(score > 0 for score in photograph.prominences) for photograph in folder]
    with_faces = [count for count in counts if count]
    several_people = max(with_faces, default=0) > 1
    return (
        settings.face_choice == "folder"
        and len(with_faces) > 1
        and (several_people or settings.compare_lone_faces)
    )


def choose_faces(
    folders: Sequence[Sequence[Photograph]], settings: FaceSettings, comparer: FaceComparer | None
) -> list[list[list[FaceChoice]]]:
    """A decision for each face of each photograph of each folder; at most one a photograph is chosen.

    comparer: sees the faces of all folders that must be compared together; None compares none.
    """
    compared = [comparer is not None and must_be_compared(folder, settings) for folder in folders]
    crops = [
        decode_jpeg(crop.compared)
        for folder, is_compared in zip(folders, compared, strict=True)
        for photograph in (folder if is_compared else ())
        for crop in photograph.crops.values()
    ]
    if comparer is None or not crops:
        return [[choose_alone(photograph.prominences) for photograph in folder] for folder in folders]
    vectors = comparer.embed(crops)
    similarity = same_person_similarity(comparer.name, settings)
    choices, first = [], 0
    for folder, is_compared in zip(folders, compared, strict=True):
        if not is_compared:
            choices.append([choose_alone(photograph.prominences) for photograph in folder])
            continue
        count = sum(len(photograph.crops) for photograph in folder)
        choices.append(_choose_together(folder, vectors[first : first + count], settings, similarity))
        first += count
    return choices


def _choose_together(
    folder: Sequence[Photograph], vectors: np.ndarray, settings: FaceSettings, similarity: float
) -> list[list[FaceChoice]]:
    labels = cluster_faces(vectors, similarity, settings.most_clustered_faces).tolist()
    numbers = list(chain.from_iterable([n] * len(photograph.crops) for n, photograph in enumerate(folder)))
    keynote = find_keynote(labels, numbers, settings)
    choices, first = [], 0
    for photograph in folder:
        last = first + len(photograph.crops)
        clusters = dict(zip(photograph.crops, labels[first:last], strict=True))
        choices.append(choose_of_folder(photograph.prominences, clusters, keynote))
        first = last
    return choices
