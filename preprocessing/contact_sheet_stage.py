"""The stage that draws contact sheets: one a folder of photographs, from what the face stage left on disk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.contact_sheet import MOST_PHOTOGRAPHS, DrawnFace, Tile, draw_contact_sheet, thumbnail
from preprocessing.face_stage import FACE_FOLDER
from preprocessing.face_tables import BOX_COLUMNS, LANDMARK_COLUMNS
from preprocessing.pictures import read_pictures
from src.artifacts.sources import SourceRecord, output_path, source_columns
from src.core.errors import MediaError
from src.core.run_log import LOGS_FOLDER
from src.core.stage import DONE, FAILED, PartTables, Stage, read_parts, split_into_parts
from src.media.image import DecodedImage

SHEETS_FOLDER = "face/plots"
_PART_SHEETS = 8
_READING_SIDE_PIXELS = 1024
_SCHEMA = pa.schema(
    [("key", pa.string()), ("status", pa.string()), ("reason", pa.string()), ("output", pa.string())]
)


@dataclass(frozen=True, kw_only=True)
class DrawnPhotograph:
    """One photograph to draw: its source, what became of it, and its faces."""

    record: SourceRecord
    outcome: str
    faces: tuple[DrawnFace, ...]


@dataclass(frozen=True, kw_only=True)
class SheetRecord:
    """One sheet: a folder, the first of its photographs, and how many it has."""

    folder: str
    photographs: tuple[DrawnPhotograph, ...]
    count: int


@dataclass(frozen=True, kw_only=True)
class SheetWorker:
    """Draws the sheets of one part."""

    dataset: Path
    work: Path

    def __call__(self, records: Sequence[SheetRecord]) -> PartTables:
        """Write one PNG a record."""
        return {"manifest": pa.Table.from_pylist([self._draw(record) for record in records], schema=_SCHEMA)}

    def _draw(self, record: SheetRecord) -> dict[str, str]:
        output = output_path(SHEETS_FOLDER, record.folder, ".png")
        shown = len(record.photographs)
        counted = (
            f"{shown} photographs"
            if shown == record.count
            else f"the first {shown} of {record.count} photographs"
        )
        sources = [photograph.record for photograph in record.photographs]
        pictures = read_pictures(self.dataset, sources, _READING_SIDE_PIXELS)
        tiles = [
            _tile(photograph, picture)
            for photograph, (_, picture) in zip(record.photographs, pictures, strict=True)
        ]
        draw_contact_sheet(self.work / output, f"{record.folder}  ·  {counted}", tiles)
        return {"key": record.folder, "status": DONE, "reason": "", "output": output}


def _lost_rows(records: Sequence[SheetRecord], reason: str) -> pa.Table:
    rows = [{"key": record.folder, "status": FAILED, "reason": reason, "output": ""} for record in records]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _tile(photograph: DrawnPhotograph, picture: DecodedImage | MediaError) -> Tile:
    caption = [PurePosixPath(photograph.record.key).name]
    if photograph.outcome:
        caption.append(photograph.outcome)
    if isinstance(picture, MediaError):
        return Tile(pixels=None, scale=1.0, caption=tuple(caption), faces=())
    pixels = thumbnail(picture.pixels)
    return Tile(
        pixels=pixels,
        scale=pixels.shape[1] / picture.width_pixels,
        caption=tuple(caption),
        faces=photograph.faces,
    )


def folder_name(record: SourceRecord) -> str:
    """The sheet that a photograph is on: that of its folder, or of the video that it is a frame of."""
    return record.file_key if record.time_seconds is not None else str(PurePosixPath(record.key).parent)


def make_contact_sheet_stage(dataset: Path, work: Path, settings: dict[str, Any]) -> Stage[SheetRecord]:
    """The stage over all folders of photographs that the face stage has seen.

    settings: those of the face stage; a sheet that was drawn with others is drawn anew.
    """
    faces = _faces_by_key(work)
    folders: dict[str, list[DrawnPhotograph]] = defaultdict(list)
    for row in read_parts(work / FACE_FOLDER / "manifest").to_pylist():
        record = SourceRecord(**source_columns(row))
        photograph = DrawnPhotograph(record=record, outcome=row["reason"], faces=tuple(faces[record.key]))
        folders[folder_name(record)].append(photograph)
    records = [
        SheetRecord(folder=folder, photographs=tuple(photographs[:MOST_PHOTOGRAPHS]), count=len(photographs))
        for folder, photographs in sorted(folders.items())
    ]
    return Stage(
        name="contact sheets",
        folder=work / SHEETS_FOLDER,
        parts=split_into_parts([[record] for record in records], _PART_SHEETS),
        make_worker=partial(SheetWorker, dataset=dataset, work=work),
        settings={"face": settings},
        unit="sheet",
        lost_rows=_lost_rows,
        logs=work / LOGS_FOLDER,
    )


def _faces_by_key(work: Path) -> dict[str, list[DrawnFace]]:
    faces: dict[str, list[DrawnFace]] = defaultdict(list)
    for row in read_parts(work / FACE_FOLDER / "detections").to_pylist():
        person = f", person {row['cluster']}" if row["cluster"] >= 0 else ""
        left, top, right, bottom = (float(row[name]) for name in BOX_COLUMNS)
        face = DrawnFace(
            box=(left, top, right, bottom),
            landmarks=np.array([row[name] for name in LANDMARK_COLUMNS]).reshape(-1, 2),
            text=f"{row['probability']:.2f}  {row['choice_reason'].replace('_', ' ')}{person}",
            chosen=row["chosen"],
        )
        faces[row["key"]].append(face)
    return faces
