"""Which encoder is taken when none is named: published ones for real data, compact ones for the generated world."""

import json
import logging
from pathlib import Path

from src.artifacts.sources import Modality
from src.core.errors import DatasetError
from src.core.files import read_json

LOGGER = logging.getLogger(__name__)

PUBLISHED: dict[Modality, str] = {"voice": "ecapa", "face": "vggface2"}
EMBEDDED: dict[Modality, str] = {"voice": "ecapa-compact", "face": "face-compact"}


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
