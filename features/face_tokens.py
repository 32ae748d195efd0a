"""Face crops → tokens: the vector of the crop, that of its mirror image and, when asked for, those of jittered crops."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from features.batching import one_thread, read_ahead, reading_threads, with_batch_sizes
from features.records import MediumTokens, part_tables
from features.settings import TokenSettings
from src.artifacts.clean_media import CleanMedium
from src.artifacts.embedding_store import CROP, FLIP, JITTER
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.files import path_below
from src.core.seeding import random_stream
from src.core.stage import PartTables, PartWorker
from src.encoders.contract import Batch, CropInput, Encoder
from src.encoders.registry import load_encoder
from src.media.guarded import read_image


def make_face_worker(
    settings: TokenSettings, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[CleanMedium]:
    """The worker of the face half, with its encoder loaded; called once in each process."""
    encoder = load_encoder(encoder_name, choose_device(device), weights)
    return FaceTokenWorker(settings, work, encoder.for_inference(settings.precision))


class FaceTokenWorker:
    """Embeds the crops of one part."""

    def __init__(self, settings: TokenSettings, work: Path, encoder: Encoder) -> None:
        assert isinstance(encoder.input, CropInput), f"{encoder.name} is not a face encoder"
        self.settings = with_batch_sizes(settings, encoder.device)
        self.work = work
        self.encoder = encoder
        self.kinds = (CROP, FLIP, *[JITTER] * settings.jittered_crops)

    def __call__(self, media: Sequence[CleanMedium]) -> PartTables:
        """Process one part; a crop that cannot be embedded becomes a row with its reason."""
        reasons: list[str] = []
        with one_thread(self.encoder.device):
            vectors = list(self.encoder.embed_each(self._batches(media, reasons)))
        count, dimension = len(self.kinds), self.encoder.dimension
        tokens = iter(torch.cat(vectors).numpy().reshape(-1, count, dimension) if vectors else ())
        results = [
            MediumTokens(medium=medium, reason=reason)
            if reason
            else MediumTokens(medium=medium, kinds=self.kinds, vectors=next(tokens), qualities=[1.0] * count)
            for medium, reason in zip(media, reasons, strict=True)
        ]
        return part_tables(results, dimension)

    def _batches(self, media: Sequence[CleanMedium], reasons: list[str]) -> Iterator[Batch]:
        """Views of the crops that can be read; appends to `reasons` why others cannot, "" for those."""
        assert self.settings.batch_crops is not None, "chosen in the constructor"
        crops_a_batch = max(1, self.settings.batch_crops // len(self.kinds))
        views: list[Tensor] = []
        for own, reason in read_ahead(self._read, media, reading_threads(self.encoder.device)):
            reasons.append(reason)
            if own is not None:
                views.append(own)
            if len(views) == crops_a_batch:
                yield Batch(media=torch.cat(views))
                views = []
        if views:
            yield Batch(media=torch.cat(views))

    def _read(self, medium: CleanMedium) -> tuple[Tensor | None, str]:
        """The views of a crop, or the reason why there are none."""
        if medium.reason:
            return None, medium.reason
        try:
            return self._views(medium, read_image(path_below(self.work, medium.output))), ""
        except MediaError as error:
            return None, error.reason

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
