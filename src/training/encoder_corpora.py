"""The corpora that an encoder is trained on: their identities, and what is known of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from src.core.errors import DatasetError
from src.data.identity_folders import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    IdentityFolders,
    read_attributes,
    scan_identity_folders,
)
from src.training.encoder_config import AttributeConfig

ATTRIBUTES_FILE = "identities.csv"
Kind = Literal["speakers", "faces"]
# One recording of a voice gives many different crops; one photograph of a face does not.
_MEDIA: dict[Kind, tuple[Sequence[str], int]] = {
    "speakers": (AUDIO_SUFFIXES, 1),
    "faces": (IMAGE_SUFFIXES, 2),
}


def find_identities(media: Sequence[Path], kind: Kind) -> IdentityFolders:
    """The identities of each corpus: below MEDIA/speakers or MEDIA/faces where there is such a folder, else
    below MEDIA itself. Raises DatasetError as `scan_identity_folders` does.
    """
    suffixes, fewest_files = _MEDIA[kind]
    roots = [folder / kind if (folder / kind).is_dir() else folder for folder in media]
    return scan_identity_folders(roots, suffixes, fewest_files)


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
