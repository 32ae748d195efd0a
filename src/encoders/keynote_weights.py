"""The keynote network with its weights, and the speaker encoder whose features it reads."""

from dataclasses import dataclass
from pathlib import Path

import torch

from src.artifacts.checkpoints import WEIGHTS_FILE, file_sha256, load_checkpoint
from src.core.config import parse_config
from src.core.errors import CheckpointError, WeightsError
from src.encoders.embedded_weights import EMBEDDED_FOLDER
from src.encoders.state_files import fill_network
from src.models.keynote_network import KeynoteNetwork, KeynoteNetworkConfig
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

KEYNOTE_FOLDER = EMBEDDED_FOLDER / "keynote-compact"


@dataclass(frozen=True)
class LoadedKeynote:
    """Both networks in evaluation mode on one device, and the checksum of their weights."""

    network: KeynoteNetwork
    encoder: SpeakerEncoder
    device: torch.device
    weights_sha256: str


def load_keynote(folder: Path | None, device: torch.device) -> LoadedKeynote:
    """Load the keynote network from a checkpoint folder; None takes the embedded one.

    Raises WeightsError where it is missing or damaged.
    """
    folder = folder or KEYNOTE_FOLDER
    path = folder / WEIGHTS_FILE
    try:
        checkpoint = load_checkpoint(folder)
        encoder = SpeakerEncoder(
            parse_config(SpeakerEncoderConfig, checkpoint.config["encoder_network"], str(folder))
        )
        network = KeynoteNetwork(
            parse_config(KeynoteNetworkConfig, checkpoint.config["network"], str(folder)),
            bands=encoder.config.mel_bands,
            channels=encoder.config.channels[-1],
            dimension=encoder.config.dimension,
        )
    except (CheckpointError, KeyError) as error:
        raise WeightsError(
            f"the weights of the keynote network are missing or damaged: {folder}. Restore the folder from the "
            f"repository, or train it: python train.py configs/keynote.yaml --media CORPUS --out {folder} ({error})"
        ) from error
    for part, prefix in ((network, "network."), (encoder.network, "encoder.")):
        own = {name: value for name, value in checkpoint.weights.items() if name.startswith(prefix)}
        fill_network(part, {name.removeprefix(prefix): value for name, value in own.items()}, path)
    return LoadedKeynote(
        network=network.eval().requires_grad_(False).to(device),
        encoder=encoder.eval().requires_grad_(False).to(device),
        device=device,
        weights_sha256=file_sha256(path),
    )
