"""Face crops of many identities in memory."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np

from src.data.identity_folders import IdentityFolders, decode_files
from src.media.guarded import read_image


class FaceCorpus:
    """Square RGB crops of a set of identities.

    crops: uint8 (crops, pixels, pixels, 3). identities: (crops,) index of the identity of each.
    """

    def __init__(self, crops: np.ndarray, identities: np.ndarray) -> None:
        assert len(crops) == len(identities)
        self.crops, self.identities = crops, np.asarray(identities)

    @classmethod
    def load(cls, folders: IdentityFolders, pixels: int) -> "FaceCorpus":
        """Decode all files and resize them to `pixels`. What cannot be decoded is left out and counted in
        a log line.

        Raises DatasetError when none can be decoded.
        """
        crops, identities = decode_files(folders, partial(_read_crop, pixels=pixels), "reading faces")
        return cls(np.stack(crops), identities)

    def of_identities(self, mask: np.ndarray) -> "FaceCorpus":
        """The crops of the identities whose entry of `mask` (identities,) is true; indices stay."""
        rows = np.flatnonzero(mask[self.identities])
        return FaceCorpus(self.crops[rows], self.identities[rows])


def _read_crop(path: Path, pixels: int) -> np.ndarray:
    return cv2.resize(read_image(path), (pixels, pixels), interpolation=cv2.INTER_AREA)
