"""The command line's options of the speech half, and the settings that they make of a configuration."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from preprocessing.speech_settings import CleaningSettings, DiarizerName
from src.core.config import apply_override
from src.core.errors import ConfigError
from src.encoders.registry import VOICE_ENCODERS


def add_speech_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given stays as the configuration has it."""
    speech = parser.add_argument_group(
        "speech", "all settings can be changed by --config; the most wanted here"
    )
    speech.add_argument(
        "--diarizer",
        choices=get_args(DiarizerName),
        help="embedded: voice activity, speaker vectors, clustering; pyannote: a pipeline of pyannote.audio; "
        "keynote: the keynote model (default: embedded)",
    )
    speech.add_argument(
        "--diarizer-model",
        metavar="PATH_OR_NAME",
        help="pipeline folder or name on the Hugging Face hub (pyannote), or checkpoint folder (keynote)",
    )
    speech.add_argument(
        "--voice-encoder",
        choices=VOICE_ENCODERS,
        help="tells speakers apart in a recording, for --diarizer embedded "
        "(default: ecapa, published; the embedded ecapa-compact for generated worlds)",
    )
    speech.add_argument("--voice-weights", type=Path, metavar="PATH", help="its weights: a file or a folder")
    switch = argparse.BooleanOptionalAction
    speech.add_argument("--keep-overlap", action=switch, help="keep speech that others talk into")
    speech.add_argument("--clean", choices=_choices("clean"), help="with the Wiener filter, or without")
    speech.add_argument(
        "--wiener",
        choices=_choices("wiener"),
        help="noise followed through the recording, or the plain filter of published front ends: one noise "
        "spectrum, from the quietest frames",
    )
    speech.add_argument("--band-pass", action=switch, help="keep the band of speech alone")
    speech.add_argument("--level", action=switch, help="bring what is kept to one level")
    speech.add_argument("--trim", action=switch, help="take silence off its beginning and end")
    speech.add_argument(
        "--truth-turns",
        type=Path,
        metavar="DIR",
        help="folder of true turns, DIR/<key>.rttm, which the pictures of recordings (--plots) show too",
    )


def apply_speech_options(options: argparse.Namespace, mapping: dict[str, Any]) -> None:
    """Put the options into the mapping that a configuration is made of. Raises ConfigError for contradictions."""
    given = {
        "diarizer": options.diarizer,
        "keynote.keep_overlap": options.keep_overlap,
        "cleaning.clean": options.clean,
        "cleaning.wiener": options.wiener,
        "cleaning.band_pass": options.band_pass,
        "cleaning.trim": options.trim,
    }
    for place, value in given.items():
        if value is not None:
            apply_override(mapping, f"speech.{place}={json.dumps(value)}")
    if options.level is not None:
        level_db = CleaningSettings.level_db if options.level else None
        apply_override(mapping, f"speech.cleaning.level_db={json.dumps(level_db)}")
    if options.diarizer_model:
        _set_diarizer_model(mapping, options.diarizer_model)


def _choices(setting: str) -> tuple[str, ...]:
    return get_args(CleaningSettings.__annotations__[setting])


def _set_diarizer_model(mapping: dict[str, Any], model: str) -> None:
    """Put `--diarizer-model` into the section of the diarizer that was chosen."""
    speech = mapping.get("speech")
    diarizer = speech.get("diarizer") if isinstance(speech, Mapping) else None
    place = {"pyannote": "pyannote.pipeline", "keynote": "keynote_diarizer.model"}.get(str(diarizer))
    if place is None:
        raise ConfigError(
            "--diarizer-model: the diarizer `embedded` has no model of its own. Add --diarizer pyannote or --diarizer "
            "keynote, or name its speaker encoder with --voice-encoder and --voice-weights."
        )
    apply_override(mapping, f"speech.{place}={json.dumps(model)}")
