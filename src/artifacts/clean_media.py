"""The clean media of a work folder, as preprocessing left them: one row a recording or crop in a modality's manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.artifacts.sources import Modality, SourceRecord, source_columns
from src.core.errors import DatasetError
from src.core.files import read_json
from src.core.stage import DONE, read_parts

PREPROCESSING_FILE = "preprocessing.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanMedium:
    """One row of a preprocessing manifest.

    source: the raw file.
    output: path of the clean medium, relative to the work folder; empty where preprocessing failed.
    reason: why it failed; empty otherwise.
    """

    source: SourceRecord
    output: str
    reason: str


def read_clean_media(work: Path, modality: Modality) -> list[CleanMedium]:
    """The manifest that preprocessing left for a modality, in its order.

    Raises DatasetError when the work folder has none.
    """
    try:
        rows = read_parts(work / modality / "manifest").to_pylist()
    except FileNotFoundError as error:
        raise DatasetError(
            f"{work}: holds no preprocessed {modality}s. Make them: "
            f"python -m preprocessing DATASET --out {work} --modality {modality}"
        ) from error
    return clean_media(rows)


def clean_media(rows: Sequence[Mapping[str, Any]]) -> list[CleanMedium]:
    """Rows of a preprocessing manifest as what the features stage works on, in their order."""
    return [
        CleanMedium(
            source=SourceRecord(**source_columns(row)),
            output=row["output"] if row["status"] == DONE else "",
            reason="" if row["status"] == DONE else row["reason"],
        )
        for row in rows
    ]


def preprocessing_settings(work: Path, modality: Modality) -> dict[str, Any]:
    """The settings with which a work folder's voices or faces were made. Raises DatasetError where it does not say."""
    try:
        return dict(read_json(work / PREPROCESSING_FILE)["stages"][modality]["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{work / PREPROCESSING_FILE}: missing or unreadable, so nothing says how the {modality}s were "
            f"preprocessed. Run python -m preprocessing DATASET --out {work} again"
        ) from error
