"""All encoders by name, and how a user adds one."""

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from src.artifacts.checkpoints import file_sha256
from src.artifacts.sources import Modality
from src.core.errors import ConfigError
from src.encoders import published_files
from src.encoders.built_network import BuiltNetwork, NetworkBuilder
from src.encoders.contract import CropInput, Encoder, Provenance, WaveformInput
from src.encoders.face_encoders import (
    build_compact_face,
    build_vggface2,
    build_vggface2_resnet50,
    iresnet_builder,
)
from src.encoders.published_files import PublishedWeights
from src.encoders.speaker_encoders import build_compact_ecapa, build_ecapa, build_ecapa_mfv
from src.models.iresnet import IRESNET18, IRESNET50, IRESNET100, MFV_IRESNET18

CropKind = Literal["square", "aligned"]


@dataclass(frozen=True, kw_only=True)
class EncoderEntry:
    """One encoder that can be asked for by name.

    build: makes the network from the given weights (None: from where the encoder's own are kept).
    dimension: length of a vector; None where the configuration beside the weights says it.
    published: where its weights come from; None where they ship with the project or belong to the user.
    crop: how face crops must have been cut for it, see `python -m preprocessing --crop`; no meaning for voices.
    """

    modality: Modality
    build: NetworkBuilder
    dimension: int | None = None
    published: PublishedWeights | None = None
    crop: CropKind = "square"

    @property
    def is_registered(self) -> bool:
        """Whether it is a user's own, which takes no files of weights."""
        return self.published is None and self.dimension is not None


ENCODERS: dict[str, EncoderEntry] = {
    "ecapa": EncoderEntry(
        modality="voice", build=build_ecapa, dimension=192, published=published_files.ECAPA
    ),
    "ecapa-mfv": EncoderEntry(
        modality="voice", build=build_ecapa_mfv, dimension=192, published=published_files.ECAPA_MFV
    ),
    "ecapa-compact": EncoderEntry(modality="voice", build=build_compact_ecapa),
    "vggface2": EncoderEntry(
        modality="face", build=build_vggface2, dimension=512, published=published_files.VGGFACE2
    ),
    "vggface2-resnet50": EncoderEntry(
        modality="face",
        build=build_vggface2_resnet50,
        dimension=2048,
        published=published_files.VGGFACE2_RESNET50,
    ),
    **{
        published.encoder: EncoderEntry(
            modality="face",
            build=iresnet_builder(published, config),
            dimension=512,
            published=published,
            crop="aligned",
        )
        for published, config in (
            (published_files.IRESNET18, IRESNET18),
            (published_files.IRESNET50, IRESNET50),
            (published_files.IRESNET100, IRESNET100),
        )
    },
    # MFV-KSD feeds the data set's own face crops, resized and not aligned.
    "iresnet18-mfv": EncoderEntry(
        modality="face",
        build=iresnet_builder(published_files.IRESNET18_MFV, MFV_IRESNET18),
        dimension=512,
        published=published_files.IRESNET18_MFV,
    ),
    "face-compact": EncoderEntry(modality="face", build=build_compact_face),
}


class EncoderNames(Collection[str]):
    """The names of a modality's encoders, those that are registered later included."""

    def __init__(self, modality: Modality) -> None:
        self.modality = modality

    def __iter__(self) -> Iterator[str]:
        return (name for name, entry in ENCODERS.items() if entry.modality == self.modality)

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


VOICE_ENCODERS, FACE_ENCODERS = EncoderNames("voice"), EncoderNames("face")


def encoder_entry(name: str) -> EncoderEntry:
    """The entry of that name. Raises ConfigError for an unknown one."""
    if name not in ENCODERS:
        raise ConfigError(f"{name}: no such encoder. There are: {', '.join(ENCODERS)}")
    return ENCODERS[name]


def load_encoder(name: str, device: torch.device | str = "cpu", weights: Path | None = None) -> Encoder:
    """Load an encoder, in evaluation mode, on `device`.

    weights: a file or a folder to read the weights from; None looks where they are kept, and downloads
        published ones that are not there.
    Raises ConfigError for an unknown name, WeightsError for weights that are missing or do not fit.
    """
    entry = encoder_entry(name)
    built = entry.build(weights)
    return Encoder(
        name=name,
        modality=entry.modality,
        dimension=built.dimension,
        input=built.input,
        provenance=Provenance(
            weights_path=str(built.weights_path),
            weights_sha256=built.weights_sha256,
            source=built.source,
            trained_language=built.trained_language,
        ),
        network=built.network.eval().requires_grad_(False).to(device),
        device=torch.device(device),
        weights_prefix=built.weights_prefix,
    )


def register_encoder(
    name: str,
    function: Callable[[Tensor], Tensor],
    *,
    dimension: int,
    input: WaveformInput | CropInput,
    crop: CropKind = "square",
) -> None:
    """Add an encoder of your own: from here on it is known by its name, on the command line too.

    function: a module, or any function, that takes what `input` says (waveforms as float32, crops as uint8) and
        gives (batch, dimension). It must be defined in a file: the file's checksum stands for the weights' in a
        store, so that vectors of two versions are never mixed.
    crop: how face crops must have been cut for it.
    Raises ConfigError for a name that is taken, or a function that is in no file.
    """
    if name in ENCODERS:
        raise ConfigError(f"{name}: there is an encoder of this name already. Choose another name.")
    try:
        path = Path(inspect.getfile(type(function) if isinstance(function, nn.Module) else function))
        checksum = file_sha256(path)
    except (TypeError, OSError) as error:
        raise ConfigError(
            f"{name}: {function!r} is defined in no file, so nothing could say which version made a store. "
            "Define it in a Python file."
        ) from error
    network = function if isinstance(function, nn.Module) else _FunctionNetwork(function)

    def build(weights: Path | None) -> BuiltNetwork:
        if weights is not None:
            raise ConfigError(
                f"{name}: this encoder was registered as it is and takes no weights ({weights})."
            )
        return BuiltNetwork(
            network=network,
            dimension=dimension,
            input=input,
            weights_path=path,
            weights_sha256=checksum,
            source=f"{path.name}, registered by the user",
        )

    modality: Modality = "voice" if isinstance(input, WaveformInput) else "face"
    ENCODERS[name] = EncoderEntry(modality=modality, build=build, dimension=dimension, crop=crop)


class _FunctionNetwork(nn.Module):
    """A function as a module without weights."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, batch: Tensor) -> Tensor:
        """What the function makes of the batch."""
        return self.function(batch)
