"""Which encoder is taken when none is named, and whether the crops of a work folder suit one.

Published encoders are for real data, compact ones for the generated world.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.artifacts.sources import Modality
from src.core.errors import DatasetError
from src.core.files import read_json
from src.encoders.published_files import EMBEDDED
from src.encoders.registry import encoder_entry

LOGGER = logging.getLogger(__name__)

PUBLISHED: dict[Modality, str] = {"voice": "ecapa", "face": "vggface2"}


def default_encoder_name(modality: Modality, *, generated_world: bool) -> str:
    """The encoder for media of this kind when nobody names one; says so where it is the embedded one."""
    if not generated_world:
        return PUBLISHED[modality]
    LOGGER.info(
        "this is a generated world: %ss are embedded by %s, the encoder that ships with the project",
        modality,
        EMBEDDED[modality],
    )
    return EMBEDDED[modality]


def is_generated_world(work: Path) -> bool:
    """Whether a work folder was preprocessed from the generated world.

    Raises DatasetError when the folder has no readable preprocessing.json.
    """
    path = work / "preprocessing.json"
    try:
        return bool(read_json(path)["generated_world"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DatasetError(
            f"{path}: missing or unreadable, so {work} is not a finished work folder. "
            f"Make one: python -m preprocessing DATASET --out {work}"
        ) from error


def select_encoder_name(work: Path, modality: Modality, requested: str | None = None) -> str:
    """`requested` where it is given, else the default for the media in `work`."""
    return requested or default_encoder_name(modality, generated_world=is_generated_world(work))


def check_crops(encoder: str, face_settings: Mapping[str, Any], work: Path) -> None:
    """Make sure that a face encoder gets crops as it was trained on.

    face_settings: those of the work folder's face stage; its `crop` is square, the default, or aligned.
    Raises DatasetError for square crops where an encoder needs aligned ones: eyes and mouth are not where it looks
    for them. Aligned crops for an encoder of square ones are tighter than it knows, which is a warning.
    """
    needed, made = encoder_entry(encoder).crop, face_settings.get("crop", "square")
    if needed == made:
        return
    if needed == "aligned":
        raise DatasetError(
            f"{work}: holds {made} face crops, and {encoder} needs aligned ones. Make them: "
            f"python -m preprocessing DATASET --out ANOTHER_WORK --modality face --crop aligned"
        )
    LOGGER.warning(
        "%s holds %s face crops, and %s was trained on square ones with a margin; its vectors may be worse",
        work,
        made,
        encoder,
    )
