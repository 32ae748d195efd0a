"""The networks that the encoders' training trains, by the encoder's name."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from src.models import iresnet, mfv_speaker_encoder
from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

# Published networks of one form; every other encoder is of one of this project's two kinds, whose widths are chosen.
_SPEAKER_NETWORKS: dict[str, Callable[[], nn.Module]] = {"ecapa-mfv": mfv_speaker_encoder.MfvSpeakerEncoder}
_FACE_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "iresnet18-mfv": lambda: iresnet.IResNet(iresnet.MFV_IRESNET18)
}


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network to train.

    network: takes a batch, gives (batch, dimension). kept: its part whose weights a file holds.
    """

    network: nn.Module
    kept: nn.Module
    dimension: int


def has_one_form(encoder: str) -> bool:
    """Whether an encoder's network has no widths to choose."""
    return encoder in _SPEAKER_NETWORKS or encoder in _FACE_NETWORKS


def speaker_network(encoder: str, widths: SpeakerEncoderConfig | None) -> TrainedNetwork:
    """A speaker encoder's network with fresh weights."""
    if widths is None:
        network = _SPEAKER_NETWORKS[encoder]()
        return TrainedNetwork(network=network, kept=network, dimension=mfv_speaker_encoder.DIMENSION)
    ecapa = SpeakerEncoder(widths)
    return TrainedNetwork(network=ecapa, kept=ecapa.network, dimension=widths.dimension)


def face_network(encoder: str, widths: FaceEncoderConfig | None) -> TrainedNetwork:
    """A face encoder's network with fresh weights."""
    if widths is None:
        network = _FACE_NETWORKS[encoder]()
        return TrainedNetwork(network=network, kept=network, dimension=iresnet.DIMENSION)
    compact = CompactFaceEncoder(widths)
    compact.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs
    return TrainedNetwork(network=compact, kept=compact, dimension=widths.dimension)
