"""The corpora that an encoder is trained on: their identities, and what is known of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from src.artifacts.clean_media import PREPROCESSING_FILE
from src.artifacts.sources import Modality
from src.core.errors import ConfigError, DatasetError
from src.data.identity_folders import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    IdentityFolders,
    enough_identities,
    files_by_identity,
    join_corpora,
    read_attributes,
)
from src.data.work_media import training_files
from src.training.encoder_config import AttributeConfig

ATTRIBUTES_FILE = "identities.csv"
Kind = Literal["speakers", "faces"]
# One recording of a voice gives many different crops; one photograph of a face does not.
_MEDIA: dict[Kind, tuple[Modality, Sequence[str], int]] = {
    "speakers": ("voice", AUDIO_SUFFIXES, 1),
    "faces": ("face", IMAGE_SUFFIXES, 2),
}


def find_identities(media: Sequence[Path], kind: Kind, language: str | None = None) -> IdentityFolders:
    """The identities of each corpus: the training people of a work folder of preprocessing, in `language` alone; else those
    below MEDIA/speakers or MEDIA/faces where there is such a folder, else below MEDIA itself.

    Raises DatasetError as `scan_identity_folders` and `training_files` do, ConfigError for a work folder without a language,
    and for a language without a work folder.
    """
    works = [folder for folder in media if is_work_folder(folder)]
    if works and language is None:
        raise ConfigError(
            f"{works[0]}: a work folder of preprocessing holds several languages. Name the one to train on, as the "
            "others must be unheard at every stage: --language LANGUAGE"
        )
    if language is not None and not works:
        raise ConfigError(
            f"--language {language} chooses among the media of a work folder, and {', '.join(map(str, media))} is none: "
            "folders of identities do not say what is spoken in them"
        )
    return join_corpora(media, [_files(folder, kind, language) for folder in media])


def is_work_folder(folder: Path) -> bool:
    """Whether preprocessing wrote it."""
    return (folder / PREPROCESSING_FILE).is_file()


def _files(folder: Path, kind: Kind, language: str | None) -> dict[str, list[Path]]:
    modality, suffixes, fewest_files = _MEDIA[kind]
    if language is not None and is_work_folder(folder):
        found = training_files(folder, modality, language)
        return enough_identities(folder, found, fewest_files, f"{modality}, {language}, training split")
    root = folder / kind if (folder / kind).is_dir() else folder
    return files_by_identity(root, suffixes, fewest_files)


def read_known_attributes(
    media: Sequence[Path], folders: IdentityFolders, config: AttributeConfig
) -> pd.DataFrame | None:
    """Attributes of the identities as numbers, one row an identity, NaN for corpora without MEDIA/identities.csv;
    None where none are asked for. Raises DatasetError where no corpus has that file, and as `read_attributes`.
    """
    if not config.numeric + config.categorical:
        return None
    names = np.array(folders.names)
    tables = []
    for corpus, folder in enumerate(media):
        if (folder / ATTRIBUTES_FILE).is_file():
            of_corpus = names[folders.corpora == corpus].tolist()
            tables.append(
                read_attributes(folder / ATTRIBUTES_FILE, of_corpus, config.numeric, config.categorical)
            )
    if not tables:
        raise DatasetError(
            f"{', '.join(map(str, media))}: no {ATTRIBUTES_FILE} in any of them, which must give the attributes that "
            "the configuration names. Without such a file: --set attributes.weight=0 --set attributes.numeric=[] "
            "--set attributes.categorical=[]"
        )
    return pd.concat(tables).reindex(list(folders.names))
