"""Command line: clean media of a work folder → embedding stores."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from features.extraction import ExtractionRequest, extract
from features.settings import TokenSettings
from src.artifacts.sources import MODALITIES
from src.core.command_line import add_common_arguments, add_failure_argument, report_summaries, run_command
from src.core.config import apply_override, parse_config
from src.core.device import choose_device
from src.core.errors import DatasetError
from src.encoders.registry import FACE_ENCODERS, VOICE_ENCODERS
from src.encoders.selection import select_encoder_name

EXAMPLES = """\
examples:
  python -m features WORK
  python -m features WORK --voice-weights ecapa/embedding_model.ckpt --face-weights 20180402-114759-vggface2.pt
  python -m features WORK --voice-encoder ecapa-compact --modality voice --set window_seconds=1.5

The same command again goes on where it was stopped. A recording or crop that cannot be embedded, and one that
preprocessing could not use, is a row with a reason in STORE/manifest.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Extract the stores that were asked for; returns the exit status."""
    options = _parser().parse_args(arguments)
    choose_device(options.device)
    if not options.work.is_dir():
        raise DatasetError(
            f"{options.work}: no such folder. Make it: python -m preprocessing DATASET --out {options.work}"
        )
    settings: dict[str, object] = {}
    for override in options.set:
        apply_override(settings, override)
    tokens = parse_config(TokenSettings, settings, "--set")
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
    add_common_arguments(parser)
    add_failure_argument(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
