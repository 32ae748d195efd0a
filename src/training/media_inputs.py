"""Media of a work folder and the encoders that learn along with a head from them."""

import copy
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.artifacts.checkpoints import ENCODERS_FOLDER
from src.artifacts.clean_media import preprocessing_settings
from src.artifacts.sources import MODALITIES, Modality
from src.core.errors import ConfigError, DatasetError
from src.data.association_media import read_association_media
from src.data.speech_augmentation import SAMPLE_RATE_HZ
from src.encoders.contract import CropInput, Encoder, WaveformInput
from src.encoders.registry import ENCODERS, encoder_entry, load_encoder
from src.encoders.selection import check_crops, select_encoder_name
from src.encoders.trained_folder import save_trained_folder
from src.models.association import AssociationModel
from src.models.media_model import MediaModel
from src.training.batch_config import BatchConfig
from src.training.media_config import LearningEncoderConfig, MediaEncodersConfig
from src.training.resident_media import MediaBatches, MediaPeople

LOGGER = logging.getLogger(__name__)
_SHARE_OF_FREE_MEMORY = 0.4  # of a GPU, that media may take


class MediaInputs:
    """Clean speech and face crops of a work folder, and both encoders; see HeadInputs.

    Raises ConfigError for an unknown encoder or one that cannot learn, WeightsError for missing weights, DatasetError for what
    is no work folder.
    """

    def __init__(
        self,
        work: Path,
        language: str,
        settings: MediaEncodersConfig,
        fewest_identities: int,
        device: torch.device,
    ) -> None:
        if not work.is_dir():
            raise DatasetError(
                f"{work}: no such folder. Make it: python -m preprocessing DATASET --out {work}"
            )
        self.work, self.language, self.settings = work, language, settings
        self.fewest_identities, self.device = fewest_identities, device
        preprocessing = {modality: preprocessing_settings(work, modality) for modality in MODALITIES}
        self.voice = _load("voice", work, settings.voice)
        self.face = _load("face", work, settings.face)
        check_crops(self.face.name, preprocessing["face"], work)
        encoders: dict[Modality, Encoder] = {"voice": self.voice, "face": self.face}
        self.dimensions = {modality: encoder.dimension for modality, encoder in encoders.items()}
        self.places = {modality: f"encoder {encoder.name}" for modality, encoder in encoders.items()}
        self.tokens: dict[Modality, dict[str, Any]] = {
            "voice": {
                "window_seconds": settings.crop_seconds,
                "hop_seconds": settings.hop_seconds,
                "most_windows": settings.most_windows,
            },
            "face": {"jittered_crops": 0},
        }
        self._preprocessing = preprocessing
        self.information = {
            modality: self._described(modality, encoders[modality]) for modality in MODALITIES
        }

    def read(self) -> None:
        """See HeadInputs. Raises DatasetError for a folder without media, TrainingError for too few people."""
        assert isinstance(self.voice.input, WaveformInput), "a voice encoder takes waveforms"
        media = read_association_media(
            self.work,
            self.language,
            lambda pixels: self.face.prepare_crop(pixels).numpy(),
            shortest_samples=self.voice.input.shortest_samples,
            fewest_identities=self.fewest_identities,
        )
        self.data = media.data
        self.left_out = {**media.data.left_out, **media.unreadable}
        self._samples, self._crops = self._resident(media.samples, media.crops)
        LOGGER.info(
            "%d people, %.1f minutes of speech and %d face crops of %s, %.0f MB in memory",
            *(len(self.data.names), len(media.samples) / SAMPLE_RATE_HZ / 60, len(media.crops), self.work),
            (media.samples.nbytes + media.crops.nbytes) / 1e6,
        )

    def network(self, head: AssociationModel) -> MediaModel:
        """See HeadInputs."""
        encoders = copy.deepcopy((self.voice.network, self.face.network))
        return MediaModel(head, *encoders, learning=self.settings.learning)

    def people(self, names: Sequence[str]) -> MediaPeople:
        """See HeadInputs."""
        return MediaPeople.of(self._samples, self._crops, self.data.of(names), self.settings)

    def batches(self, people: MediaPeople, sizes: BatchConfig, seed: int) -> MediaBatches:
        """See HeadInputs."""
        return MediaBatches(people, sizes, seed, self.device)

    def keep(
        self,
        out: Path,
        weights: Mapping[str, Tensor],
        details: Mapping[str, Any],
        metrics: Mapping[str, Any],
    ) -> tuple[dict[str, Tensor], dict[Modality, dict[str, Any]]]:
        """See HeadInputs: the encoders that learned, each in OUT/encoders/MODALITY, whose checksums the head's
        configuration then states.
        """
        information = dict(self.information)
        for modality in self.settings.learning:
            encoder = self.voice if modality == "voice" else self.face
            folder, prefix = out / ENCODERS_FOLDER / modality, f"members.0.{modality}_encoder."
            save_trained_folder(folder, encoder, _part(weights, prefix), details, metrics)
            information[modality] = self._described(modality, load_encoder(encoder.name, "cpu", folder))
        head = {f"members.0.{name}": tensor for name, tensor in _part(weights, "members.0.head.").items()}
        return head, information

    def _described(self, modality: Modality, encoder: Encoder) -> dict[str, Any]:
        described = {"tokens": self.tokens[modality], "preprocessing": self._preprocessing[modality]}
        return {**encoder.description(), **described}

    def _resident(self, samples: np.ndarray, crops: np.ndarray) -> tuple[Tensor, Tensor]:
        """The media on the device, where they leave it room to train; else in the memory of the processor."""
        media = torch.from_numpy(samples), torch.from_numpy(crops)
        if self.device.type != "cuda":
            return media
        free_bytes, _ = torch.cuda.mem_get_info(self.device)
        if samples.nbytes + crops.nbytes > _SHARE_OF_FREE_MEMORY * free_bytes:
            return media
        return media[0].to(self.device), media[1].to(self.device)


def _load(modality: Modality, work: Path, settings: LearningEncoderConfig) -> Encoder:
    name = select_encoder_name(work, modality, settings.encoder)
    place, entry = f"encoders.{modality}.encoder", encoder_entry(name)
    if entry.modality != modality:
        names = ", ".join(known for known, other in ENCODERS.items() if other.modality == modality)
        raise ConfigError(f"{place}: {name} is an encoder of {entry.modality}s. For {modality}s: {names}")
    if settings.train and entry.is_registered:
        raise ConfigError(
            f"{place}: {name} was registered as it is, so no file of weights could keep what it learns; set "
            f"encoders.{modality}.train=false"
        )
    encoder = load_encoder(name, "cpu", settings.weights)
    if isinstance(encoder.input, WaveformInput) and encoder.input.sample_rate_hz != SAMPLE_RATE_HZ:
        raise ConfigError(
            f"{place}: {name} takes {encoder.input.sample_rate_hz} Hz, media are {SAMPLE_RATE_HZ} Hz"
        )
    assert isinstance(encoder.input, WaveformInput if modality == "voice" else CropInput)
    return encoder


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
