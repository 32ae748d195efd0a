"""Folders of identities: ROOT/<identity>/<media files>, the layout that encoders are trained from."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from src.core.errors import DatasetError, MediaError
from src.core.progress import progress_bar
from src.core.seeding import random_stream

LOGGER = logging.getLogger(__name__)
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
FEWEST_IDENTITIES = 4
_DECODING_THREADS = 2


@dataclass(frozen=True)
class IdentityFolders:
    """Media files of named identities.

    names: identities, sorted.
    files: all files, identity by identity.
    identities: (files,) index into `names` of each file.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...]
    identities: np.ndarray


def scan_identity_folders(root: Path, suffixes: Sequence[str]) -> IdentityFolders:
    """Find the media files below each folder of `root`; the folder's name is the identity.

    Raises DatasetError when `root` is missing or holds fewer than four identities of two files or more.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder. It must hold one folder of media files an identity.")
    found = {
        folder.name: sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    usable = {name: files for name, files in found.items() if len(files) >= 2}
    if len(usable) < FEWEST_IDENTITIES:
        raise DatasetError(
            f"{root}: {len(usable)} identities with two files or more ({', '.join(suffixes)}); "
            f"at least {FEWEST_IDENTITIES} are needed to train and to validate on others."
        )
    names = tuple(usable)
    counts = [len(usable[name]) for name in names]
    files = tuple(path for name in names for path in usable[name])
    return IdentityFolders(names, files, np.repeat(np.arange(len(names)), counts))


def decode_files(
    folders: IdentityFolders, read: Callable[[Path], np.ndarray], description: str
) -> tuple[list[np.ndarray], np.ndarray]:
    """Decode all files; the arrays of those that could be, and the identity index of each.

    read: decodes one file, raising MediaError for one that it cannot; such files are left out and counted in
        a log line. description: of the progress bar.
    Raises DatasetError when none can be decoded.
    """

    def attempt(path: Path) -> np.ndarray | MediaError:
        try:
            return read(path)
        except MediaError as error:
            return error

    arrays: list[np.ndarray] = []
    kept: list[int] = []
    problems: list[MediaError] = []
    with (
        ThreadPoolExecutor(_DECODING_THREADS) as pool,
        progress_bar(total=len(folders.files), description=description, unit="file") as bar,
    ):
        for row, decoded in enumerate(pool.map(attempt, folders.files)):
            if isinstance(decoded, MediaError):
                problems.append(decoded)
            else:
                arrays.append(decoded)
                kept.append(row)
            bar.update()
    if problems:
        LOGGER.warning("%d files are left out; the first: %s", len(problems), problems[0])
    if not kept:
        raise DatasetError(f"no file can be decoded; the first: {problems[0]}")
    return arrays, folders.identities[kept]


def validation_identities(names: Sequence[str], share: float, seed: int) -> np.ndarray:
    """Which identities are kept for validation: (names,) bool, at least two true and two false.

    Drawn by identity, so that no identity is on both sides.
    """
    count = min(max(2, round(share * len(names))), len(names) - 2)
    chosen = random_stream("encoder validation identities", seed).permutation(len(names))[:count]
    mask = np.zeros(len(names), dtype=bool)
    mask[chosen] = True
    return mask


def read_attributes(
    path: Path, names: Sequence[str], numeric: Sequence[str], categorical: Sequence[str]
) -> pd.DataFrame:
    """Attributes of identities as numbers: one row a name, categories as one 0/1 column a value.

    path: a CSV with the column `identity` and one column an attribute.
    Raises DatasetError when the file, a column or an identity is missing, or a number is none.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; it must give the attributes that the configuration names.")
    table = pd.read_csv(path, dtype={"identity": str})
    missing = [name for name in ("identity", *numeric, *categorical) if name not in table.columns]
    if missing:
        raise DatasetError(
            f"{path}: lacks the columns {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    table = table.drop_duplicates("identity").set_index("identity")
    unknown = [name for name in names if name not in table.index]
    if unknown:
        raise DatasetError(f"{path}: {len(unknown)} identities have no row, such as {', '.join(unknown[:5])}")
    table = table.loc[list(names)]
    numbers = table[list(numeric)].apply(pd.to_numeric, errors="coerce").astype(float)
    if numbers.isna().to_numpy().any():
        raise DatasetError(f"{path}: some values of {', '.join(numeric)} are not numbers")
    indicators = pd.get_dummies(table[list(categorical)].astype(str), dtype=float) if categorical else None
    return numbers if indicators is None else pd.concat([numbers, indicators], axis=1)
