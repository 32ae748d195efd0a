"""The command line's options of the face half, and the settings that they make of a configuration."""

import argparse
import json
from pathlib import Path
from typing import Any, get_args

from preprocessing.face_settings import FaceSettings
from src.core.config import apply_override
from src.encoders.registry import FACE_ENCODERS


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given stays as the configuration has it."""
    face = parser.add_argument_group("faces", "all settings can be changed by --config; the most wanted here")
    face.add_argument(
        "--face-choice",
        choices=_choices("face_choice"),
        help="folder: of the photographs of a folder keep the person who is in most of them; image: look at "
        "every photograph by itself, which needs no encoder (default: folder)",
    )
    face.add_argument(
        "--face-encoder",
        choices=FACE_ENCODERS,
        help="tells people apart in a folder, for --face-choice folder "
        "(default: vggface2, published; the embedded face-compact for generated worlds)",
    )
    face.add_argument("--face-weights", type=Path, metavar="PATH", help="its weights: a file or a folder")
    face.add_argument(
        "--crop",
        choices=_choices("crop"),
        help="square: around the face, with a margin, for VGGFace2 encoders; aligned: eyes, nose and mouth at fixed "
        "places of 112 x 112 pixels, for ArcFace encoders as IResNet (default: square)",
    )


def apply_face_options(options: argparse.Namespace, mapping: dict[str, Any]) -> None:
    """Put the options into the mapping that a configuration is made of."""
    for place, value in (("face_choice", options.face_choice), ("crop", options.crop)):
        if value is not None:
            apply_override(mapping, f"face.{place}={json.dumps(value)}")


def _choices(setting: str) -> tuple[str, ...]:
    return get_args(FaceSettings.__annotations__[setting])
