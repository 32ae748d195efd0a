"""Clean speech and face crops that a head is trained on together with its encoders: read once, kept in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from src.artifacts.sources import MODALITIES
from src.core.errors import MediaError, TrainingError
from src.core.files import path_below
from src.data.association import (
    AssociationData,
    association_of,
    refuse_test_people,
    training_items,
    usable_people,
)
from src.data.identity_folders import decode_each
from src.data.speech_corpus import read_utterance
from src.data.work_media import media_table
from src.media.guarded import read_image


@dataclass(frozen=True)
class AssociationMedia:
    """The media of the training people in one language.

    data: `first` and `count` of a voice are its place in `samples`, `first` of a face is its place in `crops`.
    samples: int16 (all samples,) at 16 kHz, recording after recording. crops: uint8 (crops, 3, pixels, pixels), RGB.
    unreadable: files that could not be read, by key, and why.
    """

    data: AssociationData
    samples: np.ndarray
    crops: np.ndarray
    unreadable: dict[str, str]


def read_association_media(
    work: Path,
    language: str,
    prepare_crop: Callable[[np.ndarray], np.ndarray],
    *,
    shortest_samples: int,
    fewest_identities: int,
) -> AssociationMedia:
    """Read what the work folder has of the training split in `language`; no other file is opened.

    prepare_crop: a decoded crop, RGB uint8 (height, width, 3), as the face encoder takes it, (3, pixels, pixels).
    shortest_samples: of shorter recordings there is too little speech for a vector.
    Files that cannot be read are left out, with the reason in `unreadable`. Raises DatasetError for a work folder without
    a modality, and TrainingError as `load_association_data` does.
    """
    manifests = {modality: media_table(work, modality) for modality in MODALITIES}
    refuse_test_people(list(manifests.values()), language)
    items = {
        modality: training_items(table, language, f"{work}: no {modality}")
        for modality, table in manifests.items()
    }
    items = {modality: table[table["output"] != ""] for modality, table in items.items()}
    names, _ = usable_people(items, language, fewest_identities=fewest_identities)
    items = {modality: table[table["identity"].isin(names)] for modality, table in items.items()}

    def read_speech(output: Path) -> np.ndarray:
        samples = read_utterance(path_below(work, str(output)))
        if len(samples) < shortest_samples:
            raise MediaError("too_short", f"{work / output}: {len(samples)} samples are too few for a vector")
        return samples

    def read_crop(output: Path) -> np.ndarray:
        return prepare_crop(read_image(path_below(work, str(output))))

    unreadable: dict[str, str] = {}
    items["voice"], speech = _decoded(items["voice"], read_speech, "reading speech", unreadable)
    items["face"], crops = _decoded(items["face"], read_crop, "reading faces", unreadable)
    if not speech or not crops:
        shown = "; ".join(f"{key}: {reason}" for key, reason in list(unreadable.items())[:5])
        raise TrainingError(
            f"{work}: none of its {'crops' if speech else 'recordings'} can be read ({shown})"
        )
    counts = np.array([len(samples) for samples in speech])
    items["voice"] = items["voice"].assign(first=np.cumsum(counts) - counts, count=counts)
    items["face"] = items["face"].assign(first=np.arange(len(crops)), count=1)
    data = association_of(items, language, fewest_identities=fewest_identities)
    return AssociationMedia(data, np.concatenate(speech), np.stack(crops), unreadable)


def _decoded(
    items: pd.DataFrame, read: Callable[[Path], np.ndarray], description: str, unreadable: dict[str, str]
) -> tuple[pd.DataFrame, Sequence[np.ndarray]]:
    """The rows that could be read, and what they hold; why others could not goes to `unreadable`."""
    decoded = decode_each([Path(output) for output in items["output"]], read, description)
    failed = [isinstance(content, MediaError) for content in decoded]
    for key, content in zip(items.index, decoded, strict=True):
        if isinstance(content, MediaError):
            unreadable[str(key)] = content.reason
    return items[~np.array(failed, dtype=bool)], [one for one in decoded if not isinstance(one, MediaError)]
