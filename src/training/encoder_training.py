"""Training the encoders from corpora of identities.

python train.py configs/encoders/ecapa-compact.yaml --media CORPUS --out checkpoints/embedded/ecapa-compact

Killed and started again with the same command, a training goes on after its last whole epoch.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from src.artifacts.checkpoints import load_checkpoint, load_weights
from src.core.config import load_config
from src.core.errors import ConfigError
from src.core.seeding import seed_everything, stream_seed
from src.data.face_corpus import FaceCorpus
from src.data.identity_folders import validation_identities
from src.data.speech_corpus import SpeechCorpus
from src.models.face_encoder import CompactFaceEncoder
from src.models.speaker_encoder import SpeakerEncoder
from src.training.encoder_config import FaceEncoderTrainingConfig, SpeakerEncoderTrainingConfig
from src.training.encoder_corpora import find_identities, read_known_attributes
from src.training.encoder_loop import COUNTER_SUFFIX, EncoderTraining
from src.training.encoder_task import FaceTask, SpeakerTask

LOGGER = logging.getLogger(__name__)


def train_speaker_encoder(
    config_path: Path, overrides: Sequence[str], media: Sequence[Path], out: Path, device: str = "auto"
) -> int:
    """Train a speaker encoder on the speakers of all corpora in `media` into the checkpoint folder `out`.

    Raises ConfigError, DatasetError, TrainingError.
    """
    config = load_config(SpeakerEncoderTrainingConfig, config_path, overrides)
    folders = find_identities(media, "speakers")
    if config.corpus_weights and len(config.corpus_weights) != len(media):
        raise ConfigError(f"{config_path}: corpus_weights={config.corpus_weights} are not one a --media")
    attributes = read_known_attributes(media, folders, config.attributes)
    validation = validation_identities(folders, config.validation_share, config.seed)
    corpus = SpeechCorpus.load(folders)
    LOGGER.info(
        "%d identities (%d for validation), %d utterances, %.1f hours of speech",
        len(folders.names),
        validation.sum(),
        len(corpus.utterances),
        corpus.seconds / 3600,
    )
    seed_everything(stream_seed("encoder weights", config.seed) % 2**31)
    network = SpeakerEncoder(config.network)
    start_from(config.start_from, network.network)
    task = SpeakerTask(corpus, folders.corpora, validation, config)
    training = EncoderTraining(network, config.network.dimension, task, attributes, config, device)
    training.run(out)
    training.save(out, network.network, folders, validation)
    return 0


def train_face_encoder(
    config_path: Path, overrides: Sequence[str], media: Sequence[Path], out: Path, device: str = "auto"
) -> int:
    """Train a face encoder on the faces of all corpora in `media` into the checkpoint folder `out`.

    Raises ConfigError, DatasetError, TrainingError.
    """
    config = load_config(FaceEncoderTrainingConfig, config_path, overrides)
    folders = find_identities(media, "faces")
    attributes = read_known_attributes(media, folders, config.attributes)
    validation = validation_identities(folders, config.validation_share, config.seed)
    corpus = FaceCorpus.load(folders, config.cached_pixels)
    LOGGER.info(
        "%d identities (%d for validation), %d crops", len(folders.names), validation.sum(), len(corpus.crops)
    )
    seed_everything(stream_seed("encoder weights", config.seed) % 2**31)
    network = CompactFaceEncoder(config.network)
    start_from(config.start_from, network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs
    task = FaceTask(corpus, folders.corpora, validation, config)
    training = EncoderTraining(network, config.network.dimension, task, attributes, config, device)
    training.run(out)
    training.save(out, network, folders, validation)
    return 0


def start_from(folder: Path | None, network: nn.Module) -> None:
    """Fill `network` from a checkpoint; batch counters are not kept in one and stay."""
    if folder is None:
        return
    checkpoint = load_checkpoint(folder)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER_SUFFIX)}
    load_weights(network, replace(checkpoint, weights={**counters, **checkpoint.weights}))
