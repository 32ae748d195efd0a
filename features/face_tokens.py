"""Face crops → tokens: the vector of the crop and that of its mirror image."""

from collections.abc import Sequence
from pathlib import Path

import torch

from features.records import CleanMedium, MediumTokens, part_tables
from features.settings import TokenSettings
from src.artifacts.embedding_store import CROP, FLIP
from src.core.device import choose_device
from src.core.errors import MediaError
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

    def __call__(self, media: Sequence[CleanMedium]) -> PartTables:
        """Process one part; a crop that cannot be embedded becomes a row with its reason."""
        results: list[MediumTokens] = []
        crops_a_batch = max(1, self.settings.batch_windows // 2)
        for first in range(0, len(media), crops_a_batch):
            results.extend(self._embed(media[first : first + crops_a_batch]))
        return part_tables(results, self.encoder.dimension)

    def _embed(self, media: Sequence[CleanMedium]) -> list[MediumTokens]:
        crops: dict[int, torch.Tensor] = {}
        reasons: dict[int, str] = {}
        for place, medium in enumerate(media):
            reasons[place] = medium.reason
            if not medium.reason:
                try:
                    crops[place] = self.encoder.prepare_crop(read_image(self.work / medium.output))
                except MediaError as error:
                    reasons[place] = error.reason
        if crops:
            upright = torch.stack(list(crops.values()))
            vectors = self.encoder.embed(torch.cat([upright, upright.flip(-1)])).numpy()
        order = {place: row for row, place in enumerate(crops)}
        return [
            MediumTokens(medium=medium, reason=reasons[place])
            if reasons[place]
            else MediumTokens(
                medium=medium,
                kinds=(CROP, FLIP),
                vectors=vectors[[order[place], order[place] + len(crops)]],
                qualities=(1.0, 1.0),
            )
            for place, medium in enumerate(media)
        ]
