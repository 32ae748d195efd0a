"""Training the keynote network on simulated conversations, chosen on people that it never heard.

python train.py configs/keynote.yaml --media CORPUS --out checkpoints/embedded/keynote-compact
"""

import copy
import csv
import io
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from src.artifacts.byte_weights import to_bytes
from src.artifacts.checkpoints import (
    LOG_FILE,
    half_precision,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from src.core.config import config_mapping, load_config, parse_config
from src.core.device import choose_device
from src.core.errors import ConfigError
from src.core.files import write_text
from src.core.progress import progress_bar
from src.core.seeding import random_stream, seed_everything, stream_seed
from src.core.version import __version__
from src.data.identity_folders import IdentityFolders, validation_identities
from src.data.speech_corpus import SpeechCorpus
from src.encoders.trained_folder import COUNTER_SUFFIX
from src.models.keynote_network import KeynoteNetwork
from src.models.speaker_encoder import SpeakerEncoder, SpeakerEncoderConfig
from src.training.encoder_corpora import find_identities
from src.training.keynote_config import KeynoteTrainingConfig
from src.training.keynote_conversations import (
    ExampleDrawer,
    SimulatedConversation,
    simulate_conversations,
)

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KeynoteEpoch:
    """One line of the training log. Losses are mean binary cross entropies; purity and recall are of the frames
    marked as the main speaker's alone, without a prompt, on unseen people."""

    epoch: int
    learning_rate: float
    training_loss: float
    validation_loss: float
    validation_purity: float
    validation_recall: float
    seconds: float


def train_keynote(
    config_path: Path, overrides: Sequence[str], media: Sequence[Path], out: Path, device: str = "auto"
) -> int:
    """Train on conversations among the speakers of all corpora in `media` into the checkpoint folder `out`.

    Raises ConfigError, DatasetError, CheckpointError.
    """
    config = load_config(KeynoteTrainingConfig, config_path, overrides)
    encoder, unseen = _load_encoder(config.encoder)
    if config.simulation.corpus_weights and len(config.simulation.corpus_weights) != len(media):
        raise ConfigError(f"{config_path}: simulation.corpus_weights are not one a --media")
    folders = find_identities(media, "speakers")
    validation = _validation(folders, unseen, config)
    corpus = SpeechCorpus.load(folders)
    LOGGER.info("%d people (%d for validation)", len(folders.names), validation.sum())
    training_set, validation_set = (
        simulate_conversations(
            corpus.of_identities(mask), folders.corpora, count, encoder, config.simulation, config.seed, name
        )
        for name, mask, count in (
            ("training", ~validation, config.simulation.conversations),
            ("validation", validation, config.simulation.validation_conversations),
        )
    )
    seed_everything(stream_seed("keynote weights", config.seed) % 2**31)
    network = KeynoteNetwork(
        config.network,
        bands=encoder.config.mel_bands,
        channels=encoder.config.channels[-1],
        dimension=encoder.config.dimension,
    )
    log = _train(network, training_set, validation_set, config, choose_device(device))
    _save(out, network, encoder, log, folders, validation, config)
    return 0


def _load_encoder(folder: Path) -> tuple[SpeakerEncoder, set[str]]:
    """The encoder, and the people that it was validated on, whom it never heard in training."""
    checkpoint = load_checkpoint(folder)
    encoder = SpeakerEncoder(parse_config(SpeakerEncoderConfig, checkpoint.config["network"], str(folder)))
    counters = {
        name: value for name, value in encoder.network.state_dict().items() if name.endswith(COUNTER_SUFFIX)
    }
    checkpoint.weights.update(counters)
    load_weights(encoder.network, checkpoint)
    return encoder.eval().requires_grad_(False), set(checkpoint.config["identities"]["validation"])


def _validation(folders: IdentityFolders, unseen: set[str], config: KeynoteTrainingConfig) -> np.ndarray:
    """Who is kept for validation: in each corpus whom the encoder did not hear either, or else a share drawn."""
    known = np.isin(folders.names, sorted(unseen))
    drawn = validation_identities(folders, config.validation_share, config.seed)
    for corpus in np.unique(folders.corpora):
        of_corpus = folders.corpora == corpus
        if (known & of_corpus).sum() > config.simulation.most_others:
            drawn[of_corpus] = known[of_corpus]
    return drawn


def _train(
    network: KeynoteNetwork,
    training_set: Sequence[SimulatedConversation],
    validation_set: Sequence[SimulatedConversation],
    config: KeynoteTrainingConfig,
    device: torch.device,
) -> list[KeynoteEpoch]:
    """Train; leaves the weights of the epoch with the lowest validation loss in the network."""
    network.to(device)
    drawer = ExampleDrawer(training_set, config.unprompted_share, config.absent_share)
    steps_per_epoch = -(-len(training_set) // config.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=config.learning_rate,
        total_steps=config.epochs * steps_per_epoch,
        pct_start=config.warm_up_share,
        cycle_momentum=False,
    )
    stream = random_stream("keynote batches", config.seed)
    log: list[KeynoteEpoch] = []
    best = copy.deepcopy(network.state_dict())
    with progress_bar(
        total=config.epochs * steps_per_epoch, description="training keynote", unit="step"
    ) as bar:
        for epoch in range(1, config.epochs + 1):
            started = time.monotonic()
            losses = []
            network.train()
            for indices in np.array_split(stream.permutation(len(training_set)), steps_per_epoch):
                loss = _loss(network, drawer, indices.tolist(), stream, device)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), config.gradient_norm)
                optimizer.step()
                schedule.step()
                losses.append(float(loss.detach()))
                bar.update()
            validation_loss, purity, recall = _validate(network, validation_set, config, device)
            log.append(
                KeynoteEpoch(
                    epoch=epoch,
                    learning_rate=float(schedule.get_last_lr()[0]),
                    training_loss=float(np.mean(losses)),
                    validation_loss=validation_loss,
                    validation_purity=purity,
                    validation_recall=recall,
                    seconds=time.monotonic() - started,
                )
            )
            LOGGER.info(
                "epoch %d: loss %.4f, unseen people %.4f, purity %.2f %%, recall %.2f %%",
                epoch,
                log[-1].training_loss,
                validation_loss,
                100 * purity,
                100 * recall,
            )
            if validation_loss <= min(record.validation_loss for record in log):
                best = copy.deepcopy(network.state_dict())
    network.load_state_dict(best)
    return log


def _loss(
    network: KeynoteNetwork,
    drawer: ExampleDrawer,
    indices: Sequence[int],
    stream: np.random.Generator,
    device: torch.device,
) -> torch.Tensor:
    features, prompts, answers = drawer.batch(indices, stream)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=network.training):
        logits = network(features.to(device), prompts.to(device)).float()
    return nn.functional.binary_cross_entropy_with_logits(logits, answers.to(device))


@torch.inference_mode()
def _validate(
    network: KeynoteNetwork,
    conversations: Sequence[SimulatedConversation],
    config: KeynoteTrainingConfig,
    device: torch.device,
) -> tuple[float, float, float]:
    """Loss over all kinds of examples; purity and recall of the main speaker without a prompt."""
    network.eval()
    mixed = ExampleDrawer(conversations, config.unprompted_share, config.absent_share)
    unprompted = ExampleDrawer(conversations, 1.0, 0.0)
    stream = random_stream("keynote validation", config.seed)
    losses, kept_total, main_total, both_total = [], 0, 0, 0
    for start in range(0, len(conversations), config.batch_size):
        indices = range(start, min(start + config.batch_size, len(conversations)))
        losses.append(float(_loss(network, mixed, indices, stream, device)))
        features, prompts, answers = unprompted.batch(indices, stream)
        marked = (network(features.to(device), prompts.to(device)) > 0).cpu()
        kept = marked[..., 0] & ~marked[..., 1]
        main = answers[..., 0] > 0
        kept_total, main_total = kept_total + int(kept.sum()), main_total + int(main.sum())
        both_total += int((kept & main).sum())
    return float(np.mean(losses)), both_total / max(kept_total, 1), both_total / max(main_total, 1)


def _save(
    out: Path,
    network: KeynoteNetwork,
    encoder: SpeakerEncoder,
    log: Sequence[KeynoteEpoch],
    folders: IdentityFolders,
    validation: np.ndarray,
    config: KeynoteTrainingConfig,
) -> None:
    """Write the checkpoint; it holds the encoder too, so that a later training of that changes nothing here."""
    chosen = min(log, key=lambda record: record.validation_loss)
    own = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    of_encoder = {
        f"encoder.{name}": tensor
        for name, tensor in encoder.network.state_dict().items()
        if not name.endswith(COUNTER_SUFFIX)
    }
    save_checkpoint(
        out,
        {**to_bytes(own), **half_precision(of_encoder)},
        {
            "recipe": config.recipe,
            "network": config_mapping(config.network),
            "encoder_network": config_mapping(encoder.config),
            "training": config_mapping(config),
            "identities": {
                "training": int((~validation).sum()),
                "validation": np.array(folders.names)[validation].tolist(),
            },
            "version": __version__,
        },
        asdict(chosen),
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(asdict(chosen)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in log)
    write_text(out / LOG_FILE, text.getvalue())
    LOGGER.info(
        "best epoch %d of %d: purity %.2f %%, recall %.2f %% on unseen people -> %s",
        chosen.epoch,
        len(log),
        100 * chosen.validation_purity,
        100 * chosen.validation_recall,
        out,
    )
