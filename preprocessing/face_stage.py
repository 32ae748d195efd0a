"""The face stage: photographs in, one crop of the right person each out, every decision recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_choice import FaceChoice
from preprocessing.face_detection import FaceDetector
from preprocessing.face_embedder import FaceEmbedder, load_face_embedder
from preprocessing.face_folder import FaceComparer, Photograph, choose_faces, measure_photograph
from preprocessing.face_settings import FaceSettings
from preprocessing.face_tables import DETECTION_SCHEMA, MANIFEST_SCHEMA, detection_rows, manifest_row
from preprocessing.keynote_face import same_person_similarity
from preprocessing.pictures import read_pictures
from src.artifacts.sources import SourceRecord, output_path
from src.core.config import config_mapping
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.stage import PartTables, PartWorker
from src.media.image import DecodedImage
from src.media.jpeg import write_encoded_jpeg

FACE_FOLDER = "face"
CROPS_FOLDER = "face/crops"
NO_FACE, NO_KEYNOTE_FACE = "no_face", "no_keynote_face"
_BLOCK_PIXELS = 24_000_000  # decoded images that are held at once: 72 MB


@dataclass(frozen=True)
class _ReadImage:
    record: SourceRecord
    image: DecodedImage


def make_face_worker(
    settings: FaceSettings,
    dataset: Path,
    work: Path,
    encoder_name: str | None,
    weights: Path | None,
    device: str,
) -> PartWorker[SourceRecord]:
    """The worker of the face stage, with its detector loaded; called once in each process.

    encoder_name, weights: what tells people apart, as `load_face_embedder` takes them.
    """
    chosen_device = choose_device(device)
    embedder = load_face_embedder(encoder_name, weights, chosen_device)
    return FaceWorker(settings, dataset, work, MtcnnDetector(settings, chosen_device), embedder)


def needs_encoder(settings: FaceSettings, records: Sequence[SourceRecord]) -> bool:
    """Whether people may have to be told apart: a folder of `records` holds several photographs that are there."""
    if settings.face_choice != "folder":
        return False
    seen = set()
    for record in records:
        if record.size_bytes:
            folder = folder_of(record)
            if folder in seen:
                return True
            seen.add(folder)
    return False


def face_provenance(settings: FaceSettings, embedder: FaceEmbedder | None) -> dict[str, Any]:
    """Everything that decides the output of the stage, ready for JSON.

    Raises ConfigError where it is not known how similar the encoder's vectors of one person are.
    """
    if embedder is None:
        return {**config_mapping(settings), "face_encoder": None}
    similarity = same_person_similarity(embedder.name, settings)
    return {
        **config_mapping(settings),
        "same_person_similarity": similarity,
        "face_encoder": embedder.description(),
    }


class FaceWorker:
    """Turns the face records of one part into the tables `manifest` and `detections`, and writes crops.

    All photographs of one folder (`folder_of`) share their keynote person; their records must lie side by side. What waits
    for the end of its folder are faces and small crops, never photographs.
    """

    def __init__(
        self,
        settings: FaceSettings,
        dataset: Path,
        work: Path,
        detector: FaceDetector,
        embedder: FaceComparer | None,
    ) -> None:
        """embedder: what tells people apart; None looks at every photograph by itself."""
        self.settings = settings
        self.dataset = dataset
        self.work = work
        self.detector = detector
        self.embedder = embedder

    def __call__(self, records: Sequence[SourceRecord]) -> PartTables:
        """Process one part; a photograph that cannot be used becomes a row with its reason."""
        rows: dict[str, dict[str, Any]] = {}
        detections: dict[str, list[dict[str, Any]]] = {}
        waiting: list[Photograph] = []
        for block in self._blocks(records, rows):
            waiting += self._find(block)
            block.clear()  # so that its pixels are gone before others are read
            folders = [list(folder) for _, folder in groupby(waiting, key=lambda one: folder_of(one.record))]
            *complete, waiting = folders
            self._finish(complete, rows, detections)
        self._finish([waiting], rows, detections)
        keys = [record.key for record in records]
        return {
            "manifest": pa.Table.from_pylist([rows[key] for key in keys], schema=MANIFEST_SCHEMA),
            "detections": pa.Table.from_pylist(
                [row for key in keys for row in detections.get(key, [])], schema=DETECTION_SCHEMA
            ),
        }

    def _blocks(
        self, records: Sequence[SourceRecord], rows: dict[str, dict[str, Any]]
    ) -> Iterator[list[_ReadImage]]:
        """Decoded photographs, as many at a time as memory allows; unreadable ones go to `rows`."""
        block: list[_ReadImage] = []
        for record, image in read_pictures(self.dataset, records, self.settings.reading_side_pixels):
            if isinstance(image, MediaError):
                rows[record.key] = manifest_row(record, reason=image.reason)
                continue
            block.append(_ReadImage(record, image))
            if sum(one.image.pixels.size // 3 for one in block) >= _BLOCK_PIXELS:
                yield block
                block = []
        if block:
            yield block

    def _find(self, block: Sequence[_ReadImage]) -> list[Photograph]:
        found = self.detector.detect([one.image.pixels for one in block])
        return [
            measure_photograph(one.record, one.image, faces, self.settings)
            for one, faces in zip(block, found, strict=True)
        ]

    def _finish(
        self,
        folders: Sequence[Sequence[Photograph]],
        rows: dict[str, dict[str, Any]],
        detections: dict[str, list[dict[str, Any]]],
    ) -> None:
        """Choose the faces of whole folders and write their crops."""
        chosen = choose_faces(folders, self.settings, self.embedder)
        for folder, choices_of_folder in zip(folders, chosen, strict=True):
            for photograph, choices in zip(folder, choices_of_folder, strict=True):
                key = photograph.record.key
                rows[key] = self._write(photograph, choices)
                detections[key] = detection_rows(photograph, choices)

    def _write(self, photograph: Photograph, choices: Sequence[FaceChoice]) -> dict[str, Any]:
        """Write the crop of a photograph; its manifest row."""
        record = photograph.record
        place = next((place for place, choice in enumerate(choices) if choice.chosen), None)
        if place is None:
            reason = NO_KEYNOTE_FACE if photograph.crops else NO_FACE
            return manifest_row(record, photograph, reason=reason)
        output = output_path(CROPS_FOLDER, record.key, ".jpg")
        write_encoded_jpeg(self.work / output, photograph.crops[place].output)
        return manifest_row(record, photograph, output=output)


def folder_of(record: SourceRecord) -> tuple[str, ...]:
    """What the photographs that are about one person share: person, language and video.

    Test media are each by itself, but for the frames of one video.
    """
    if record.split == "test":
        return (record.file_key,)
    return record.identity, record.language, record.video
