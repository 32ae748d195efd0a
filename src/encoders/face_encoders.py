"""How each face encoder is made: its network, its weights, its input.

Networks are imported where they are built, so that only who needs a library waits for it.
"""

from pathlib import Path

import torch

from src.core.config import parse_config
from src.encoders import published_files
from src.encoders.built_network import BuiltNetwork, NetworkBuilder
from src.encoders.contract import CropInput
from src.encoders.embedded_weights import read_embedded
from src.encoders.published_files import PublishedWeights
from src.encoders.state_files import SAFETENSORS_SUFFIX, fill_network, part_of_state, read_state
from src.encoders.weights import TRAINED_HERE, find_weights
from src.models.iresnet import DIMENSION, INPUT_PIXELS, IResNet, IResNetConfig

_CLASSES = ("fc.weight", "fc.bias")
_MFV_OTHER_PARTS = ("speaker_encoder.", "fusion_module.", "loss.")


def build_vggface2(weights: Path | None) -> BuiltNetwork:
    """facenet-pytorch's InceptionResnetV1. Raises WeightsError."""
    from src.models.inception_face_encoder import DIMENSION, INPUT_PIXELS, InceptionFaceEncoder

    found = find_weights(published_files.VGGFACE2, weights)
    network = InceptionFaceEncoder()
    fill_network(network.network, read_state(found.path), found.path, unused=("logits.weight", "logits.bias"))
    return BuiltNetwork(
        network=network,
        dimension=DIMENSION,
        input=CropInput(pixels=INPUT_PIXELS),
        weights_path=found.path,
        weights_sha256=found.sha256,
        source=found.source,
        weights_prefix="network.",
        trained_language=found.trained_language,
    )


def build_vggface2_resnet50(weights: Path | None) -> BuiltNetwork:
    """Oxford's ResNet-50, from either of its public PyTorch conversions. Raises WeightsError."""
    from src.models.vggface2_resnet import DIMENSION, INPUT_PIXELS, VggFace2Resnet, rgb_state

    found = find_weights(published_files.VGGFACE2_RESNET50, weights)
    network = VggFace2Resnet()
    state = read_state(found.path)
    if (
        found.path.suffix != SAFETENSORS_SUFFIX
    ):  # what was trained here has torchvision's names and reads RGB already
        state = rgb_state(state)
    fill_network(network.network, state, found.path, unused=_CLASSES)
    return BuiltNetwork(
        network=network,
        dimension=DIMENSION,
        input=CropInput(pixels=INPUT_PIXELS),
        weights_path=found.path,
        weights_sha256=found.sha256,
        source=found.source,
        weights_prefix="network.",
        trained_language=found.trained_language,
    )


def iresnet_builder(published: PublishedWeights, config: IResNetConfig) -> NetworkBuilder:
    """The builder of an IResNet of this depth, from its own file or out of a whole checkpoint of MFV-KSD's trainer."""

    def build(weights: Path | None) -> BuiltNetwork:
        found = find_weights(published, weights)
        network = IResNet(config)
        state = part_of_state(read_state(found.path), "face_encoder.", _MFV_OTHER_PARTS)
        fill_network(network, state, found.path)
        return BuiltNetwork(
            network=network,
            dimension=DIMENSION,
            input=CropInput(pixels=INPUT_PIXELS),
            weights_path=found.path,
            weights_sha256=found.sha256,
            source=found.source,
            trained_language=found.trained_language,
        )

    return build


def build_compact_face(weights: Path | None) -> BuiltNetwork:
    """The face encoder that ships with the project. Raises WeightsError."""
    from src.models.face_encoder import CompactFaceEncoder, FaceEncoderConfig

    embedded = read_embedded("face-compact", weights)
    config = parse_config(FaceEncoderConfig, embedded.network_config, str(embedded.path.parent))
    network = CompactFaceEncoder(config)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs
    fill_network(network, embedded.state, embedded.path)
    return BuiltNetwork(
        network=network,
        dimension=config.dimension,
        input=CropInput(pixels=config.input_pixels),
        weights_path=embedded.path,
        weights_sha256=embedded.sha256,
        source="voxface, trained on generated portraits" if weights is None else TRAINED_HERE,
        trained_language=embedded.language,
    )
