"""The weights that ship with the project: checkpoint folders of the compact encoders."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from src.artifacts.checkpoints import CONFIG_FILE, WEIGHTS_FILE, file_sha256, load_checkpoint
from src.core.errors import CheckpointError, WeightsError
from src.core.files import read_json
from src.encoders.trained_folder import refuse_another_encoder

EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints" / "embedded"


@dataclass(frozen=True, kw_only=True)
class EmbeddedWeights:
    """Weights of a compact encoder, the configuration of its network, and where they were read.

    language: the one that they were trained on; None where it is unknown, or not one.
    """

    state: dict[str, Tensor]
    network_config: dict[str, object]
    path: Path
    sha256: str
    language: str | None


def read_embedded(encoder: str, weights: Path | None) -> EmbeddedWeights:
    """Read a checkpoint folder, or the file of weights in it; None takes the one that ships with the project.

    Raises WeightsError when it is missing, damaged, or another encoder's.
    """
    folder = EMBEDDED_FOLDER / encoder if weights is None else weights
    folder = folder.parent if folder.is_file() else folder
    try:
        checkpoint = load_checkpoint(folder)
        refuse_another_encoder(folder, checkpoint.config, encoder)
        return EmbeddedWeights(
            state=checkpoint.weights,
            network_config=dict(checkpoint.config["network"]),
            path=folder / WEIGHTS_FILE,
            sha256=file_sha256(folder / WEIGHTS_FILE),
            language=checkpoint.config.get("language"),
        )
    except (CheckpointError, KeyError) as error:
        raise WeightsError(
            f"the weights of the encoder `{encoder}` are missing or damaged: {folder}. "
            f"Restore the folder from the repository, or train it anew: make encoders. ({error})"
        ) from error


def embedded_dimension(encoder: str) -> int | None:
    """Length of its vectors, as its configuration says; None where that is missing or damaged."""
    try:
        return int(read_json(EMBEDDED_FOLDER / encoder / CONFIG_FILE)["network"]["dimension"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
