"""Face crops of many identities in memory."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from src.core.errors import DatasetError, MediaError
from src.core.progress import progress_bar
from src.data.identity_folders import IdentityFolders
from src.media.image import read_image

LOGGER = logging.getLogger(__name__)


class FaceCorpus:
    """Square RGB crops of a set of identities.

    crops: uint8 (crops, pixels, pixels, 3). identities: (crops,) index of the identity of each.
    """

    def __init__(self, crops: np.ndarray, identities: np.ndarray) -> None:
        assert len(crops) == len(identities)
        self.crops, self.identities = crops, np.asarray(identities)

    @classmethod
    def load(cls, folders: IdentityFolders, pixels: int, threads: int = 2) -> "FaceCorpus":
        """Decode all files and resize them to `pixels`. What cannot be decoded is left out and counted in
        a log line.

        Raises DatasetError when none can be decoded.
        """
        with (
            ThreadPoolExecutor(threads) as pool,
            progress_bar(total=len(folders.files), description="reading faces", unit="file") as bar,
        ):
            decoded = []
            for crop in pool.map(partial(_read_crop, pixels=pixels), folders.files):
                decoded.append(crop)
                bar.update()
        kept = [row for row, crop in enumerate(decoded) if isinstance(crop, np.ndarray)]
        crops = [crop for crop in decoded if isinstance(crop, np.ndarray)]
        problems = [crop for crop in decoded if isinstance(crop, MediaError)]
        if problems:
            LOGGER.warning("%d files are left out; the first: %s", len(problems), problems[0])
        if not kept:
            raise DatasetError(f"no file can be decoded; the first: {problems[0]}")
        return cls(np.stack(crops), folders.identities[kept])

    def of_identities(self, mask: np.ndarray) -> "FaceCorpus":
        """The crops of the identities whose entry of `mask` (identities,) is true; indices stay."""
        rows = np.flatnonzero(mask[self.identities])
        return FaceCorpus(self.crops[rows], self.identities[rows])


def _read_crop(path: Path, pixels: int) -> np.ndarray | MediaError:
    try:
        return cv2.resize(read_image(path), (pixels, pixels), interpolation=cv2.INTER_AREA)
    except MediaError as error:
        return error
