"""What a work folder has of one modality, as preprocessing left it, to be trained on."""

from pathlib import Path

import pandas as pd

from src.artifacts.clean_media import read_clean_media
from src.artifacts.sources import Modality
from src.core.files import path_below
from src.data.association import refuse_test_people, training_items

_COLUMNS = ("key", "identity", "language", "video", "split")


def media_table(work: Path, modality: Modality) -> pd.DataFrame:
    """The clean media by key: identity, language, video, split, and `output`, its path below the work folder, empty for
    what preprocessing could not use. Raises DatasetError for a work folder without this modality.
    """
    media = read_clean_media(work, modality)
    rows = [{name: getattr(medium.source, name) for name in _COLUMNS} for medium in media]
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).assign(output=[medium.output for medium in media])
    return table.set_index("key")


def training_files(work: Path, modality: Modality, language: str) -> dict[str, list[Path]]:
    """The files of the training split in `language` by identity, both sorted; no file is opened.

    Raises DatasetError as `media_table`, TrainingError where the language is not there or a person is tested too, and
    MediaError for a path that leads out of the work folder.
    """
    table = media_table(work, modality)
    refuse_test_people([table], language)
    items = training_items(table, language, f"{work}: no {modality}")
    items = items[items["output"] != ""].sort_index()
    return {
        str(identity): [path_below(work, output) for output in own]
        for identity, own in items.groupby("identity", sort=True)["output"]
    }
