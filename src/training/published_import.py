"""Published checkpoints as checkpoint folders of this project: `train.py import-published`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.artifacts.checkpoints import file_sha256, save_checkpoint
from src.artifacts.embedding_store import read_store_information
from src.core.command_line import EXIT_DONE
from src.core.config import config_mapping
from src.core.errors import CheckpointError, WeightsError
from src.core.output_lock import locked_output
from src.core.version import __version__
from src.models.configurations import FopConfig
from src.models.ensemble import Ensemble
from src.models.fop import fop_from_published_state

EXAMPLES = """\
example, a baseline of FAME 2024 on the feature files that belong to it:
  python -m features import --format fop --voice English_voices_test.csv --face English_faces_test.csv \\
      --voice-encoder utterance-level-aggregator --face-encoder vggface --language English --split test \\
      --unlabelled --keys English_test.txt --out ENGLISH
  python train.py import-published v1_English.pth.tar --features ENGLISH --language English --out checkpoints/fop_v1_English
  python inference.py score --checkpoint checkpoints/fop_v1_English --features ENGLISH --trials English_test.txt --out scores.txt
"""


def import_published(arguments: Sequence[str] | None = None) -> int:
    """Write the checkpoint folder."""
    options = _parser().parse_args(arguments)
    with locked_output(options.out):
        config = import_fop(options.file, options.features, options.language, options.out)
    sys.stderr.write(
        f"{options.out}: FOP, {config['model']['fusion']} fusion, {config['published']['identities']} training people\n"
    )
    return EXIT_DONE


def import_fop(path: Path, features: Path, language: str, out: Path) -> dict[str, Any]:
    """A checkpoint folder from a published FOP checkpoint; returns its configuration.

    path: what the published code saved. features: folder of the stores `voice` and `face` whose embeddings it takes.
    language: that it was trained on, which the file does not say.
    Raises WeightsError for a file that is not such a checkpoint, CheckpointError where the dimensions are not the stores'.
    """
    published = fop_from_published_state(_read_state(path))
    information = {modality: read_store_information(features / modality) for modality in ("voice", "face")}
    model = published.model
    taken = {"voice": model.voice_dimension, "face": model.face_dimension}
    for modality, dimension in taken.items():
        found = information[modality]["dimension"]
        if found != dimension:
            raise CheckpointError(
                f"{path}: takes {modality}s of {dimension} numbers, but {features / modality} holds {found} "
                f"({information[modality]['encoder']}). Give the stores of the encoder that it was trained with."
            )
    settings = FopConfig(
        voice_dimension=model.voice_dimension,
        face_dimension=model.face_dimension,
        width=model.fused_dimension,
        fusion="gated" if model.gated else "linear",
    )
    config = {
        "recipe": "association",
        "model": config_mapping(settings),
        "training": {},
        "language": language,
        "encoders": information,
        "identities": {"training": [], "validation": []},
        "published": {
            "file": path.name,
            "sha256": file_sha256(path),
            "identities": published.classifier.out_features,
        },
        "version": __version__,
    }
    save_checkpoint(out, Ensemble([model]).state_dict(), config, {})
    return config


def _read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in a file of the published code; the file is read as tensors and numbers, and never run."""
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make the parser raise nearly anything
        raise WeightsError(
            f"{path}: not readable as weights: damaged, or a pickle that carries code (such files are never run). "
            f"({type(error).__name__})"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: holds no state dict of tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train.py import-published",
        description="Turn a published FOP checkpoint, such as the challenges' baselines, into a checkpoint folder.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="such as v1_English.pth.tar")
    parser.add_argument(
        "--features", type=Path, required=True, metavar="DIR", help="folder of the stores that it scores"
    )
    parser.add_argument("--language", required=True, help="the language that it was trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoint folder to write")
    return parser
