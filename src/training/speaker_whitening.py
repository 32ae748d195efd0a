"""The last step of a speaker encoder's training: its vectors are centred, and what varies within a speaker is whitened.

    v' = Bᵀ (v − m),    B Bᵀ = (W + λ tr(W)/d · I)⁻¹

W is the covariance of a training speaker's crops about their mean, m the mean of all crops, both averaged over the
corpora by their weights; d numbers in a vector. Both are folded into the network's last layer, so that nothing changes
for its users.

python train.py configs/encoders/ecapa-compact-whitened.yaml --media CORPUS --out checkpoints/embedded/ecapa-compact

Source: Hatch, Kajarekar, Stolcke, "Within-class covariance normalization for SVM-based speaker recognition",
Interspeech 2006.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from src.artifacts.checkpoints import Checkpoint, half_precision, load_checkpoint, save_checkpoint
from src.core.config import config_mapping, load_config, parse_config
from src.core.device import choose_device
from src.core.errors import ConfigError
from src.core.progress import progress_bar
from src.core.seeding import random_stream
from src.core.version import __version__
from src.data.identity_folders import IdentityFolders, validation_identities
from src.data.speech_augmentation import SAMPLE_RATE_HZ, SpeechAugmentationConfig, augment_speech
from src.data.speech_corpus import SpeechCorpus
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig
from src.training.encoder_config import SpeakerWhiteningConfig
from src.training.encoder_corpora import find_identities
from src.training.encoder_loop import COUNTER_SUFFIX
from src.training.encoder_measures import pair_equal_error_rate
from src.training.encoder_task import spread_rows
from src.training.encoder_training import start_from

LOGGER = logging.getLogger(__name__)
_BATCH = 64


def whiten_speaker_encoder(
    config_path: Path, overrides: Sequence[str], media: Sequence[Path], out: Path, device: str = "auto"
) -> int:
    """Whiten the encoder that the configuration starts from, and write it to the checkpoint folder `out`.

    Raises CheckpointError, ConfigError, DatasetError.
    """
    config = load_config(SpeakerWhiteningConfig, config_path, overrides)
    before = load_checkpoint(config.start_from)
    network = SpeakerEncoder(
        parse_config(SpeakerEncoderConfig, before.config["network"], str(config.start_from))
    )
    start_from(config.start_from, network.network)
    network.to(choose_device(device)).eval()
    folders = find_identities(media, "speakers")
    validation = validation_identities(folders, config.validation_share, config.seed)
    if config.corpus_weights and len(config.corpus_weights) != len(media):
        raise ConfigError(f"{config_path}: corpus_weights={config.corpus_weights} are not one a --media")
    corpus = SpeechCorpus.load(folders)
    unseen = corpus.of_identities(validation)
    rates = {"before": validation_error_rates(network, unseen, folders.corpora, config)}
    statistics = within_speaker_statistics(
        network, corpus.of_identities(~validation), folders.corpora, config
    )
    fold_into_last_layer(network, *whitening(*statistics, config.shrinkage))
    rates["after"] = validation_error_rates(network, unseen, folders.corpora, config)
    _save(out, config, before, network, folders, validation, rates)
    for name, after in rates["after"].items():
        pairs = zip(rates["before"][name], after, strict=True)
        told = "; ".join(f"{was:.1%} -> {now:.1%}" for was, now in pairs)
        LOGGER.info(
            "%s: EER on unseen identities of each corpus, pieces of %s: %s", config.encoder, name, told
        )
    return 0


def within_speaker_statistics(
    network: SpeakerEncoder, corpus: SpeechCorpus, corpora: np.ndarray, config: SpeakerWhiteningConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and within-speaker covariance (d, d) of crops, averaged over the corpora with their weights."""
    stream = random_stream("whitening crops", config.seed)
    kinds = np.unique(corpora)
    weights = np.array(config.corpus_weights or [1.0] * len(kinds)) / (
        sum(config.corpus_weights) or len(kinds)
    )
    used = corpus.of_identities(weights[corpora] > 0)
    rows = spread_rows(used.identities, config.crops_per_speaker, stream, repeat=True)
    crops: list[np.ndarray] = []
    with progress_bar(
        total=len(config.crop_seconds) * len(rows), description="embedding crops", unit="crop"
    ) as bar:
        for seconds in config.crop_seconds:
            for chosen in np.split(rows, range(_BATCH, len(rows), _BATCH)):
                drawn = torch.from_numpy(used.crops(chosen, round(seconds * SAMPLE_RATE_HZ), stream))
                crops.append(_embed(network, _augmented(drawn, config.augmentation, stream)))
                bar.update(len(chosen))
    vectors, speakers = np.concatenate(crops), np.tile(used.identities[rows], len(config.crop_seconds))
    mean, covariance = np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1], vectors.shape[1]))
    for kind in kinds[weights > 0]:
        own = corpora[speakers] == kind
        mean += weights[kind] * vectors[own].mean(axis=0)
        covariance += weights[kind] * within_covariance(vectors[own], speakers[own])
    return mean, covariance


def within_covariance(vectors: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """Covariance (d, d) of vectors (items, d) about the mean of their identity (items,), float64."""
    names, places = np.unique(identities, return_inverse=True)
    counts = np.bincount(places)
    means = (
        np.stack([np.bincount(places, column) for column in vectors.astype(np.float64).T], axis=1)
        / counts[:, None]
    )
    deviations = vectors - means[places]
    return np.asarray(deviations.T @ deviations / (len(vectors) - len(names)))


def whitening(mean: np.ndarray, covariance: np.ndarray, shrinkage: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrix A (d, d) and offset a (d,) of v' = A v + a, see the module's docstring; shrinkage: λ."""
    dimension = len(covariance)
    shrunk = covariance + shrinkage * np.trace(covariance) / dimension * np.eye(dimension)
    matrix = np.linalg.cholesky(np.linalg.inv(shrunk)).T
    return matrix, -matrix @ mean


def fold_into_last_layer(network: SpeakerEncoder, matrix: np.ndarray, offset: np.ndarray) -> None:
    """Make the network return matrix @ v + offset instead of v: (d, d), (d,)."""
    layer = network.network.fc.conv
    weight, bias = layer.weight.data.squeeze(2).double().cpu().numpy(), layer.bias.data.double().cpu().numpy()
    layer.weight.data.copy_(torch.from_numpy(matrix @ weight).unsqueeze(2))
    layer.bias.data.copy_(torch.from_numpy(matrix @ bias + offset))


def validation_error_rates(
    network: SpeakerEncoder, corpus: SpeechCorpus, corpora: np.ndarray, config: SpeakerWhiteningConfig
) -> dict[str, list[float]]:
    """Equal error rate over all pairs of pieces of unseen speakers of each corpus, by the pieces' length.

    Pieces do not overlap: an utterance is cut from its beginning into as many as it holds. Where the configuration
    changes crops, pieces are measured changed too, alike at every call.
    """
    rates = {}
    for seconds in config.validation_seconds:
        pieces, identities = _pieces(corpus, round(seconds * SAMPLE_RATE_HZ))
        of_corpora = corpora[identities]
        conditions: dict[str, SpeechAugmentationConfig | None] = {f"{seconds:g} s": None}
        if config.augmentation is not None:
            conditions[f"{seconds:g} s, augmented"] = config.augmentation
        for name, augmentation in conditions.items():
            stream = random_stream("whitening validation", config.seed)
            batches = [_augmented(batch, augmentation, stream) for batch in pieces.split(_BATCH)]
            vectors = np.concatenate([_embed(network, batch) for batch in batches])
            rates[name] = [
                pair_equal_error_rate(vectors[of_corpora == one], identities[of_corpora == one])
                for one in np.unique(of_corpora)
            ]
    return rates


def _pieces(corpus: SpeechCorpus, samples: int) -> tuple[torch.Tensor, np.ndarray]:
    """Pieces of all utterances, (pieces, samples), and the identity of each."""
    pieces, identities = [], []
    for utterance, identity in zip(corpus.utterances, corpus.identities, strict=True):
        whole = utterance[: len(utterance) // samples * samples].reshape(-1, samples)
        pieces.append(whole.astype(np.float32) / np.iinfo(np.int16).max)
        identities += [identity] * len(whole)
    return torch.from_numpy(np.concatenate(pieces)), np.array(identities)


def _augmented(
    waveforms: torch.Tensor, config: SpeechAugmentationConfig | None, stream: np.random.Generator
) -> torch.Tensor:
    return waveforms if config is None else augment_speech(waveforms, config, stream)


@torch.inference_mode()
def _embed(network: SpeakerEncoder, waveforms: torch.Tensor) -> np.ndarray:
    device = next(network.parameters()).device
    return np.asarray(network(waveforms.to(device)).float().cpu().numpy())


def _save(
    out: Path,
    config: SpeakerWhiteningConfig,
    before: Checkpoint,
    network: SpeakerEncoder,
    folders: IdentityFolders,
    validation: np.ndarray,
    rates: dict[str, dict[str, list[float]]],
) -> None:
    weights = {
        name: tensor
        for name, tensor in network.network.state_dict().items()
        if not name.endswith(COUNTER_SUFFIX)
    }
    resolved = {
        "recipe": config.recipe,
        "encoder": config.encoder,
        "network": config_mapping(network.config),
        "training": before.config["training"],
        "whitening": config_mapping(config),
        "language": before.config.get("language"),
        "identities": {
            "training": int((~validation).sum()),
            "validation": np.array(folders.names)[validation].tolist(),
        },
        "version": __version__,
    }
    save_checkpoint(
        out, half_precision(weights), resolved, {**before.metrics, "validation_eer_of_pieces": rates}
    )
