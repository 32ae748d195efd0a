"""All encoders by name. Only this module knows the networks behind the names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from src.artifacts.checkpoints import WEIGHTS_FILE, file_sha256, load_checkpoint
from src.artifacts.sources import Modality
from src.core.config import parse_config
from src.core.errors import CheckpointError, ConfigError, WeightsError
from src.encoders.contract import CropInput, Encoder, Provenance, WaveformInput
from src.encoders.weights import ECAPA_FILE, VGGFACE2_FILE, fill_network, find_weights, read_state

EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints" / "embedded"


@dataclass(frozen=True, kw_only=True)
class BuiltNetwork:
    """A network with its weights in place.

    network: takes what `input` says, gives (batch, dimension).
    weights_path: the file that the weights were read from.
    source: who published them.
    """

    network: nn.Module
    dimension: int
    input: WaveformInput | CropInput
    weights_path: Path
    source: str


NetworkBuilder = Callable[[Path | None], BuiltNetwork]


@dataclass(frozen=True, kw_only=True)
class EncoderEntry:
    """One encoder that can be asked for by name.

    build: makes the network from the given weights (None: from where the encoder's own are kept).
    """

    modality: Modality
    build: NetworkBuilder


def load_encoder(name: str, device: torch.device | str = "cpu", weights: Path | None = None) -> Encoder:
    """Load an encoder, in evaluation mode, on `device`.

    weights: a file or a folder to read the weights from; None looks where they are kept, and downloads
        published ones that are not there.
    Raises ConfigError for an unknown name, WeightsError for weights that are missing or do not fit.
    """
    if name not in ENCODERS:
        raise ConfigError(f"{name}: no such encoder. There are: {', '.join(ENCODERS)}")
    entry = ENCODERS[name]
    built = entry.build(weights)
    return Encoder(
        name=name,
        modality=entry.modality,
        dimension=built.dimension,
        input=built.input,
        provenance=Provenance(
            weights_path=str(built.weights_path),
            weights_sha256=file_sha256(built.weights_path),
            source=built.source,
        ),
        network=built.network.eval().requires_grad_(False).to(device),
        device=torch.device(device),
    )


def _build_ecapa(weights: Path | None) -> BuiltNetwork:
    # SpeechBrain takes seconds to import, so only who needs it pays.
    from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder

    path = find_weights(ECAPA_FILE, weights)
    network = SpeakerEncoder(PUBLISHED_ECAPA)
    fill_network(network.network, read_state(path), path)
    return BuiltNetwork(
        network=network,
        dimension=PUBLISHED_ECAPA.dimension,
        input=WaveformInput(),
        weights_path=path,
        source="speechbrain/spkrec-ecapa-voxceleb",
    )


def _build_vggface2(weights: Path | None) -> BuiltNetwork:
    from src.models.inception_face_encoder import DIMENSION, INPUT_PIXELS, InceptionFaceEncoder

    path = find_weights(VGGFACE2_FILE, weights)
    network = InceptionFaceEncoder()
    fill_network(network.network, read_state(path), path, unused=("logits.weight", "logits.bias"))
    return BuiltNetwork(
        network=network,
        dimension=DIMENSION,
        input=CropInput(pixels=INPUT_PIXELS),
        weights_path=path,
        source="timesler/facenet-pytorch v2.2.9, VGGFace2",
    )


def _build_compact_ecapa(weights: Path | None) -> BuiltNetwork:
    from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

    folder, state, mapping = _read_compact("ecapa-compact", weights)
    config = parse_config(SpeakerEncoderConfig, mapping, str(folder))
    network = SpeakerEncoder(config)
    fill_network(network.network, state, folder / WEIGHTS_FILE)
    return BuiltNetwork(
        network=network,
        dimension=config.dimension,
        input=WaveformInput(),
        weights_path=folder / WEIGHTS_FILE,
        source="voxface, trained on real and generated speech",
    )


def _build_compact_face(weights: Path | None) -> BuiltNetwork:
    from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig

    folder, state, mapping = _read_compact("face-compact", weights)
    config = parse_config(FaceEncoderConfig, mapping, str(folder))
    network = CompactFaceEncoder(config)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs
    fill_network(network, state, folder / WEIGHTS_FILE)
    return BuiltNetwork(
        network=network,
        dimension=config.dimension,
        input=CropInput(pixels=config.input_pixels),
        weights_path=folder / WEIGHTS_FILE,
        source="voxface, trained on generated portraits",
    )


def _read_compact(name: str, weights: Path | None) -> tuple[Path, dict[str, torch.Tensor], dict[str, object]]:
    folder = EMBEDDED_FOLDER / name if weights is None else weights
    folder = folder.parent if folder.is_file() else folder
    try:
        checkpoint = load_checkpoint(folder)
        if checkpoint.config.get("encoder") != name:
            raise WeightsError(
                f"{folder}: holds `{checkpoint.config.get('encoder')}`, not the encoder `{name}` that was asked for."
            )
        return folder, checkpoint.weights, dict(checkpoint.config["network"])
    except (CheckpointError, KeyError) as error:
        raise WeightsError(
            f"the weights of the encoder `{name}` are missing or damaged: {folder}. "
            f"Restore the folder from the repository, or train it anew: make encoders. ({error})"
        ) from error


ENCODERS: dict[str, EncoderEntry] = {
    "ecapa": EncoderEntry(modality="voice", build=_build_ecapa),
    "ecapa-compact": EncoderEntry(modality="voice", build=_build_compact_ecapa),
    "vggface2": EncoderEntry(modality="face", build=_build_vggface2),
    "face-compact": EncoderEntry(modality="face", build=_build_compact_face),
}
VOICE_ENCODERS = tuple(name for name, entry in ENCODERS.items() if entry.modality == "voice")
FACE_ENCODERS = tuple(name for name, entry in ENCODERS.items() if entry.modality == "face")
