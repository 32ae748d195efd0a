"""Train what a configuration describes: an association head on embedding stores, or an encoder on media.

python train.py configs/best.yaml --features WORK/features --language English --out checkpoints/English
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from src.core.command_line import run_command
from src.core.determinism import add_deterministic_argument, compute_deterministically
from src.core.torchrun import require_single_process
from src.training.recipes import TrainingRequest, run_recipe

EXAMPLES = """\
examples:
  the head of a challenge system, on what `python -m features WORK` made:
    python train.py configs/best.yaml --features WORK/features --language English --out checkpoints/English
  the same with other settings (nested keys with dots) and another seed:
    python train.py configs/best.yaml --features WORK/features --language Urdu --out checkpoints/Urdu \\
        --seed 3 --set optimizer.learning_rate=1e-3 --set model.members=1
  the same on four GPUs, which train as one would with the whole batch:
    torchrun --standalone --nproc-per-node 4 train.py configs/best.yaml --features WORK/features --language English \\
        --out checkpoints/English
  encoders and head end to end, from what `python -m preprocessing` left in WORK:
    python train.py configs/aasm-media.yaml --media WORK --language English --out checkpoints/aasm-media
  an encoder from the same, its other languages left out:
    python train.py configs/encoders/ecapa-mfv.yaml --media WORK --language English --out checkpoints/ecapa-mfv
  an encoder from folders of media, MEDIA/speakers/<identity>/*.wav or MEDIA/faces/<identity>/*.jpg:
    python train.py configs/encoders/ecapa-compact.yaml --media MEDIA --out checkpoints/ecapa
  the same from several corpora, as they are published; killed, it goes on when started again:
    python train.py configs/encoders/ecapa-compact.yaml --media LibriSpeech/train-clean-100 --media VoxCeleb/dev/aac \\
        --set attributes.weight=0 --set attributes.numeric=[] --out checkpoints/ecapa

OUT receives model.safetensors, config.json, metrics.json, training_log.csv; of heads also training_curves.png,
environment.json, validation_scores.parquet and tensorboard/ (tensorboard --logdir checkpoints); encoders that learned along
are in encoders/.

further commands, each with a --help of its own:
  python train.py sweep              several recipes, languages and seeds, in one table
  python train.py import-published   a published checkpoint, such as the challenges' baselines
"""
COMMANDS = {
    "sweep": ("src.experiments.sweep_command", "sweep"),
    "import-published": ("src.training.published_import", "import_published"),
}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train what CONFIG describes and write a checkpoint folder.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a YAML file, see configs/")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoint folder to write")
    parser.add_argument(
        "--features",
        type=Path,
        metavar="DIR",
        help="heads: folder with the embedding stores voice/ and face/",
    )
    parser.add_argument(
        "--language",
        help="heads, and encoders from a work folder: the training language, as the stores and the folder name it",
    )
    parser.add_argument(
        "--media",
        type=Path,
        action="append",
        metavar="DIR",
        help="encoders: a corpus, one folder an identity, in DIR/speakers or DIR/faces or DIR itself, or a work folder of "
        "preprocessing; may be repeated; heads whose encoders learn along: a work folder",
    )
    parser.add_argument(
        "--device", default="auto", help="auto (a GPU where there is one), cpu or cuda (default: auto)"
    )
    add_deterministic_argument(parser)
    parser.add_argument(
        "--seed", type=int, help="of the held-out people, weights and batches (default: the recipe's own)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a training that was stopped in OUT, to the same bits; without one there, begin",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="a setting that wins over the file's, for example optimizer.learning_rate=1e-3; may be repeated",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and train."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and words[0] in COMMANDS:
        require_single_process(f"train.py {words[0]}")
        module, function = COMMANDS[words[0]]
        return int(getattr(importlib.import_module(module), function)(words[1:]))
    options = vars(build_parser().parse_args(words))
    if options.pop("deterministic"):
        compute_deterministically()
    return run_recipe(TrainingRequest(**options))


if __name__ == "__main__":
    sys.exit(run_command(main))
