"""Command line: clean media of a work folder → embedding stores; and commands that look after stores and weights."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from features.extraction import ExtractionRequest, extract
from features.settings import TokenSettings
from src.artifacts.sources import MODALITIES
from src.core import status_command
from src.core.command_line import add_common_arguments, add_failure_argument, report_summaries, run_command
from src.core.config import apply_override, parse_config
from src.core.determinism import compute_deterministically
from src.core.device import choose_device
from src.core.engines.selection import add_engine_arguments, choose_engine
from src.core.errors import DatasetError
from src.core.run_log import LOGS_FOLDER
from src.encoders.registry import FACE_ENCODERS, VOICE_ENCODERS
from src.encoders.selection import select_encoder_name
from src.encoders.weights import forbid_downloads

EXAMPLES = """\
examples:
  python -m features WORK
  python -m features WORK --voice-weights ecapa/embedding_model.ckpt --face-weights 20180402-114759-vggface2.pt
  python -m features WORK --voice-encoder ecapa-compact --modality voice --set window_seconds=1.5

The same command again goes on where it was stopped. A recording or crop that cannot be embedded, and one that
preprocessing could not use, is a row with a reason in STORE/manifest.

other commands (each has --help with examples):
  python -m features status WORK                                   how far a running or dead extraction is
  python -m features weights                                       which weights are here, and how to get the others
  python -m features info WORK/features/voice                      encoder, counts, norms, failures by reason
  python -m features verify WORK/features/voice                    check a store, part by part
  python -m features merge STORE STORE --out STORE                 join stores of one encoder
  python -m features export STORE --format fop --out FEATURES.csv  CSV files of FOP and CAFNet, NumPy
  python -m features import --format fop --voice FEATURES.csv …    and back
A work folder that is named like one of them is given as ./info.
"""
# Where each command lives: imported when it is called, since most need no network.
COMMANDS = {
    "weights": ("features.weights_command", "main"),
    "info": ("features.store_commands", "info"),
    "verify": ("features.store_commands", "verify"),
    "merge": ("features.store_commands", "merge"),
    "export": ("features.store_commands_exchange", "export_store"),
    "import": ("features.store_commands_exchange", "import_stores"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Extract the stores that were asked for, or carry out the command named first; returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["status"]:
        return status_command.main("python -m features", words[1:])
    if words and words[0] in COMMANDS:
        module, name = COMMANDS[words[0]]
        status: int = getattr(importlib.import_module(module), name)(words[1:])
        return status
    return _extract(words)


def _extract(words: Sequence[str]) -> int:
    options = _parser().parse_args(words)
    if options.deterministic:
        compute_deterministically()
    choose_device(options.device)
    if options.offline:
        forbid_downloads()
    if not options.work.is_dir():
        raise DatasetError(
            f"{options.work}: no such folder. Make it: python -m preprocessing DATASET --out {options.work}"
        )
    settings: dict[str, object] = {}
    for override in options.set:
        apply_override(settings, override)
    tokens = parse_config(TokenSettings, settings, "--set")
    engine = choose_engine(options)
    chosen = MODALITIES if options.modality == "both" else (options.modality,)
    encoders = {
        modality: select_encoder_name(options.work, modality, getattr(options, f"{modality}_encoder"))
        for modality in chosen
    }
    summaries = [
        extract(
            ExtractionRequest(
                modality=modality,
                work=options.work,
                out=(options.out or options.work / "features") / modality,
                encoder=encoders[modality],
                weights=getattr(options, f"{modality}_weights"),
                device=options.device,
                workers=options.workers,
                tokens=tokens,
                engine=engine,
                logs=(options.out or options.work) / LOGS_FOLDER,
            )
        )
        for modality in chosen
    ]
    return report_summaries(summaries, options.max_failures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m features",
        description="Embed the clean voices and faces of a work folder: one store a modality, one row a token.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("work", type=Path, metavar="WORK", help="folder that python -m preprocessing wrote")
    parser.add_argument("--out", type=Path, help="folder of the stores (default: WORK/features)")
    parser.add_argument("--modality", choices=(*MODALITIES, "both"), default="both")
    for modality, names in (("voice", VOICE_ENCODERS), ("face", FACE_ENCODERS)):
        parser.add_argument(
            f"--{modality}-encoder",
            choices=names,
            help="default: the published one; the compact one for a generated world",
        )
        parser.add_argument(
            f"--{modality}-weights",
            type=Path,
            metavar="PATH",
            help="its weights (default: where they are kept, else a download)",
        )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of features/settings.py"
    )
    parser.add_argument("--offline", action="store_true", help="download nothing")
    add_common_arguments(parser)
    add_engine_arguments(parser)
    add_failure_argument(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
