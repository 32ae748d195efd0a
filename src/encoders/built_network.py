"""A network with its weights in place: what an encoder's builder gives to the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from src.encoders.contract import CropInput, WaveformInput


@dataclass(frozen=True, kw_only=True)
class BuiltNetwork:
    """A network with its weights in place.

    network: takes what `input` says, gives (batch, dimension).
    weights_path, weights_sha256: the file that the weights were read from.
    source: who published them.
    weights_prefix: of the names in the network's state dict that such a file holds, without it.
    trained_language: the one language that they were trained on; None where it is unknown, or not one.
    """

    network: nn.Module
    dimension: int
    input: WaveformInput | CropInput
    weights_path: Path
    weights_sha256: str
    source: str
    weights_prefix: str = ""
    trained_language: str | None = None


NetworkBuilder = Callable[[Path | None], BuiltNetwork]
