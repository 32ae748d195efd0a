"""How each voice encoder is made: its network, its weights, its input.

Networks are imported where they are built: SpeechBrain takes seconds, and only who needs it pays.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from src.core.config import parse_config
from src.core.errors import WeightsError
from src.encoders import published_files
from src.encoders.built_network import BuiltNetwork
from src.encoders.contract import WaveformInput
from src.encoders.embedded_weights import read_embedded
from src.encoders.state_files import fill_network, part_of_state, read_state, read_torch_file
from src.encoders.weights import TRAINED_HERE, find_weights

_MFV_OTHER_PARTS = ("speaker_loss.", "face_encoder.", "fusion_module.", "loss.")


def build_ecapa(weights: Path | None) -> BuiltNetwork:
    """SpeechBrain's spkrec-ecapa-voxceleb, as `EncoderClassifier.encode_batch` gives it. Raises WeightsError.

    The statistics in `mean_var_norm_emb.ckpt` are applied by `encode_batch(normalize=True)` alone, so they are not
    applied here; where the file stands beside the weights, it is read and must belong to them.
    """
    from src.models.speaker_encoder import PUBLISHED_ECAPA, SpeakerEncoder

    found = find_weights(published_files.ECAPA, weights)
    network = SpeakerEncoder(PUBLISHED_ECAPA)
    fill_network(network.network, read_state(found.path), found.path)
    for companion in published_files.ECAPA.companions:
        path = found.path.with_name(companion.name)
        if path.is_file():
            check_embedding_statistics(path, PUBLISHED_ECAPA.dimension)
    return BuiltNetwork(
        network=network,
        dimension=PUBLISHED_ECAPA.dimension,
        input=WaveformInput(),
        weights_path=found.path,
        weights_sha256=found.sha256,
        source=found.source,
        weights_prefix="network.",
        trained_language=found.trained_language,
    )


def check_embedding_statistics(path: Path, dimension: int) -> None:
    """Raise WeightsError unless the file holds SpeechBrain's global statistics of vectors of this dimension."""
    statistics = read_torch_file(path)
    mean = statistics.get("glob_mean") if isinstance(statistics, Mapping) else None
    if not isinstance(mean, Tensor) or mean.numel() != dimension or not mean.isfinite().all():
        raise WeightsError(
            f"{path}: not the statistics of this encoder's vectors (`glob_mean` of {dimension} numbers), so the "
            "folder mixes files of different encoders. Fetch the folder again, or remove this file: it is not needed."
        )


def build_ecapa_mfv(weights: Path | None) -> BuiltNetwork:
    """MFV-KSD's ECAPA-TDNN, from its own file or out of a whole checkpoint of its trainers. Raises WeightsError."""
    from src.models.mfv_speaker_encoder import DIMENSION, MfvSpeakerEncoder

    found = find_weights(published_files.ECAPA_MFV, weights)
    network = MfvSpeakerEncoder()
    state = part_of_state(read_state(found.path), "speaker_encoder.", _MFV_OTHER_PARTS)
    fill_network(network, state, found.path)
    return BuiltNetwork(
        network=network,
        dimension=DIMENSION,
        input=WaveformInput(),
        weights_path=found.path,
        weights_sha256=found.sha256,
        source=found.source,
        trained_language=found.trained_language,
    )


def build_compact_ecapa(weights: Path | None) -> BuiltNetwork:
    """The speaker encoder that ships with the project. Raises WeightsError."""
    from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig

    embedded = read_embedded("ecapa-compact", weights)
    config = parse_config(SpeakerEncoderConfig, embedded.network_config, str(embedded.path.parent))
    network = SpeakerEncoder(config)
    fill_network(network.network, embedded.state, embedded.path)
    return BuiltNetwork(
        network=network,
        dimension=config.dimension,
        input=WaveformInput(),
        weights_path=embedded.path,
        weights_sha256=embedded.sha256,
        source="voxface, trained on real and generated speech" if weights is None else TRAINED_HERE,
        weights_prefix="network.",
        trained_language=embedded.language,
    )
