"""Face crops → tokens: the vector of the crop, that of its mirror image and, when asked for, those of jittered crops."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from features.records import CleanMedium, MediumTokens, part_tables
from features.settings import TokenSettings
from src.artifacts.embedding_store import CROP, FLIP, JITTER
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.seeding import random_stream
from src.core.stage import PartTables, PartWorker
from src.encoders.contract import CropInput, Encoder
from src.encoders.registry import load_encoder
from src.media.image import read_image


def make_face_worker(
    settings: TokenSettings, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[CleanMedium]:
    """The worker of the face half, with its encoder loaded; called once in each process."""
    return FaceTokenWorker(settings, work, load_encoder(encoder_name, choose_device(device), weights))


class FaceTokenWorker:
    """Embeds the crops of one part."""

    def __init__(self, settings: TokenSettings, work: Path, encoder: Encoder) -> None:
        assert isinstance(encoder.input, CropInput), f"{encoder.name} is not a face encoder"
        self.settings = settings
        self.work = work
        self.encoder = encoder
        self.kinds = (CROP, FLIP, *[JITTER] * settings.jittered_crops)

    def __call__(self, media: Sequence[CleanMedium]) -> PartTables:
        """Process one part; a crop that cannot be embedded becomes a row with its reason."""
        results: list[MediumTokens] = []
        crops_a_batch = max(1, self.settings.batch_windows // len(self.kinds))
        for first in range(0, len(media), crops_a_batch):
            results.extend(self._embed(media[first : first + crops_a_batch]))
        return part_tables(results, self.encoder.dimension)

    def _embed(self, media: Sequence[CleanMedium]) -> list[MediumTokens]:
        views: dict[int, Tensor] = {}
        reasons: dict[int, str] = {}
        for place, medium in enumerate(media):
            reasons[place] = medium.reason
            if not medium.reason:
                try:
                    views[place] = self._views(medium, read_image(self.work / medium.output))
                except MediaError as error:
                    reasons[place] = error.reason
        vectors: dict[int, np.ndarray] = {}
        if views:
            embedded = self.encoder.embed(torch.cat(list(views.values()))).numpy()
            vectors = dict(zip(views, np.split(embedded, len(views)), strict=True))
        return [
            MediumTokens(medium=medium, reason=reasons[place])
            if reasons[place]
            else MediumTokens(
                medium=medium, kinds=self.kinds, vectors=vectors[place], qualities=[1.0] * len(self.kinds)
            )
            for place, medium in enumerate(media)
        ]

    def _views(self, medium: CleanMedium, crop: np.ndarray) -> Tensor:
        """What is embedded of one crop, in the order of `kinds`: uint8 (kinds, 3, p, p)."""
        upright = self.encoder.prepare_crop(crop)
        jittered = [
            self.encoder.prepare_crop(jittered_crop(crop, medium.source.key, number, self.settings))
            for number in range(self.settings.jittered_crops)
        ]
        return torch.stack([upright, upright.flip(-1), *jittered])


def jittered_crop(crop: np.ndarray, key: str, number: int, settings: TokenSettings) -> np.ndarray:
    """A crop turned, zoomed and moved a little, RGB uint8 (height, width, 3).

    The change is drawn from the key and the number alone, so that it is the same in every run. Beyond the border the
    outermost pixels are repeated.
    """
    stream = random_stream("face jitter", key, number)
    degrees, zoom, right, down = stream.uniform(-1, 1, 4) * (
        settings.jitter_degrees,
        settings.jitter_zoom,
        settings.jitter_shift,
        settings.jitter_shift,
    )
    height, width = crop.shape[:2]
    change = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1 + zoom)
    change[:, 2] += right * width, down * height
    return cv2.warpAffine(
        crop, change, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
