"""Training the encoders from corpora of identities.

python train.py configs/encoders/ecapa-compact.yaml --media CORPUS --out checkpoints/embedded/ecapa-compact

Killed and started again with the same command, a training goes on after its last whole epoch.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from src.artifacts.checkpoints import Checkpoint, load_checkpoint, load_weights
from src.artifacts.clean_media import preprocessing_settings
from src.core.config import load_config
from src.core.errors import ConfigError
from src.core.seeding import seed_everything, stream_seed
from src.data.face_corpus import FaceCorpus
from src.data.identity_folders import validation_identities
from src.data.speech_corpus import SpeechCorpus
from src.encoders.registry import load_encoder
from src.encoders.selection import check_crops
from src.encoders.trained_folder import COUNTER_SUFFIX
from src.training.encoder_config import FaceEncoderTrainingConfig, SpeakerEncoderTrainingConfig
from src.training.encoder_corpora import find_identities, is_work_folder, read_known_attributes
from src.training.encoder_loop import EncoderTraining
from src.training.encoder_networks import face_network, speaker_network
from src.training.encoder_task import FaceTask, SpeakerTask

LOGGER = logging.getLogger(__name__)


def train_speaker_encoder(
    config_path: Path,
    overrides: Sequence[str],
    media: Sequence[Path],
    out: Path,
    device: str = "auto",
    language: str | None = None,
) -> int:
    """Train a speaker encoder on the speakers of all corpora in `media` into the checkpoint folder `out`.

    language: of work folders among the media, whose other languages are left out.
    Raises CheckpointError, ConfigError, DatasetError, TrainingError, WeightsError.
    """
    config = load_config(SpeakerEncoderTrainingConfig, config_path, overrides)
    folders = find_identities(media, "speakers", language)
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
    trained = speaker_network(config.encoder, config.network)
    language = _begin(config, trained.kept, language)
    task = SpeakerTask(corpus, folders.corpora, validation, config)
    training = EncoderTraining(trained.network, trained.dimension, task, attributes, config, device)
    training.run(out)
    training.save(out, trained.kept, folders, validation, language)
    return 0


def train_face_encoder(
    config_path: Path,
    overrides: Sequence[str],
    media: Sequence[Path],
    out: Path,
    device: str = "auto",
    language: str | None = None,
) -> int:
    """Train a face encoder on the faces of all corpora in `media` into the checkpoint folder `out`.

    language: of work folders among the media, whose other languages are left out.
    Raises CheckpointError, ConfigError, DatasetError, TrainingError, WeightsError.
    """
    config = load_config(FaceEncoderTrainingConfig, config_path, overrides)
    for work in filter(is_work_folder, media):
        check_crops(config.encoder, preprocessing_settings(work, "face"), work)
    folders = find_identities(media, "faces", language)
    attributes = read_known_attributes(media, folders, config.attributes)
    validation = validation_identities(folders, config.validation_share, config.seed)
    corpus = FaceCorpus.load(folders, config.cached_pixels)
    LOGGER.info(
        "%d identities (%d for validation), %d crops", len(folders.names), validation.sum(), len(corpus.crops)
    )
    seed_everything(stream_seed("encoder weights", config.seed) % 2**31)
    trained = face_network(config.encoder, config.network)
    language = _begin(config, trained.kept, language)
    task = FaceTask(corpus, folders.corpora, validation, config)
    training = EncoderTraining(trained.network, trained.dimension, task, attributes, config, device)
    training.run(out)
    training.save(out, trained.kept, folders, validation, language)
    return 0


def _begin(
    config: SpeakerEncoderTrainingConfig | FaceEncoderTrainingConfig, network: nn.Module, language: str | None
) -> str | None:
    """Fill the network with the weights that the configuration starts from, where it names some; the one language that it
    will have learned, None where that is unknown. Raises ConfigError where those weights have learned another language.
    """
    if config.start_from is None:
        return language
    if config.network is None:  # published weights are taken as well
        encoder = load_encoder(config.encoder, weights=config.start_from)
        network.load_state_dict(encoder.network.state_dict())
        learned = encoder.provenance.trained_language
    else:
        learned = start_from(config.start_from, network).config.get("language")
    if language is not None and learned not in (None, language):
        raise ConfigError(
            f"start_from: {config.start_from} was trained on {learned}; a language that is unheard must be unheard at "
            f"every stage. Train the first stage with --language {language}"
        )
    return language or learned


def start_from(folder: Path, network: nn.Module) -> Checkpoint:
    """Fill `network` from a checkpoint; batch counters are not kept in one and stay."""
    checkpoint = load_checkpoint(folder)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER_SUFFIX)}
    load_weights(network, replace(checkpoint, weights={**counters, **checkpoint.weights}))
    return checkpoint
