"""Corpora of identities, the layout that encoders are trained from: ROOT/<identity>/…/<media files>.

VoxCeleb (dev/aac/id00012/VIDEO/00001.m4a) and LibriSpeech (train-clean-100/103/1240/103-1240-0000.flac) have it.
Files that lie loose in ROOT belong to the identity that their names begin with, up to the first hyphen.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
    """Media files of named identities, of one or more corpora.

    names: identities; sorted within a corpus.
    files: all files, identity by identity.
    identities: (files,) index into `names` of each file.
    corpora: (identities,) index of the corpus that each identity is from.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...]
    identities: np.ndarray
    corpora: np.ndarray


def scan_identity_folders(
    roots: Sequence[Path], suffixes: Sequence[str], fewest_files: int
) -> IdentityFolders:
    """Find the media files of the identities of each corpus.

    fewest_files: identities with fewer are left out.
    Raises DatasetError when a root is missing or holds fewer than four such identities, and when two corpora
    have an identity of one name.
    """
    return join_corpora(roots, [files_by_identity(root, suffixes, fewest_files) for root in roots])


def join_corpora(roots: Sequence[Path], corpora: Sequence[Mapping[str, Sequence[Path]]]) -> IdentityFolders:
    """The identities of several corpora, which lie in `roots`; each names its identities' files.

    Raises DatasetError when two corpora have an identity of one name.
    """
    names = tuple(name for corpus in corpora for name in corpus)
    if len(set(names)) < len(names):
        twice = sorted(name for name in set(names) if names.count(name) > 1)
        raise DatasetError(
            f"{', '.join(map(str, roots))}: {len(twice)} identities are in two corpora, such as {twice[0]}; "
            "rename their folders if they are different people."
        )
    files = [paths for corpus in corpora for paths in corpus.values()]
    return IdentityFolders(
        names,
        tuple(path for paths in files for path in paths),
        np.repeat(np.arange(len(names)), [len(paths) for paths in files]),
        np.repeat(np.arange(len(corpora)), [len(corpus) for corpus in corpora]),
    )


def files_by_identity(root: Path, suffixes: Sequence[str], fewest_files: int) -> dict[str, list[Path]]:
    """The files of each identity of one corpus; arguments and errors as of `scan_identity_folders`."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder. It must hold one folder of media files an identity.")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in suffixes:
            inside = path.relative_to(root).parts
            if len(inside) > 1 or "-" in path.name:
                found[inside[0] if len(inside) > 1 else path.name.split("-")[0]].append(path)
    return enough_identities(root, found, fewest_files, ", ".join(suffixes))


def enough_identities(
    root: Path, found: Mapping[str, list[Path]], fewest_files: int, described: str
) -> dict[str, list[Path]]:
    """The identities that have `fewest_files` at least, sorted. Raises DatasetError when they are fewer than four.

    described: what the files are, for the error.
    """
    usable = {name: files for name, files in sorted(found.items()) if len(files) >= fewest_files}
    if len(usable) < FEWEST_IDENTITIES:
        raise DatasetError(
            f"{root}: {len(usable)} identities with at least {fewest_files} files ({described}); "
            f"at least {FEWEST_IDENTITIES} are needed to train and to validate on others."
        )
    return usable


def decode_files(
    folders: IdentityFolders, read: Callable[[Path], np.ndarray], description: str
) -> tuple[list[np.ndarray], np.ndarray]:
    """Decode all files; the arrays of those that could be, and the identity index of each.

    read: decodes one file, raising MediaError for one that it cannot; such files are left out and counted in
        a log line. description: of the progress bar.
    Raises DatasetError when none can be decoded.
    """
    decoded = decode_each(folders.files, read, description)
    kept = [row for row, array in enumerate(decoded) if not isinstance(array, MediaError)]
    problems = [error for error in decoded if isinstance(error, MediaError)]
    if problems:
        LOGGER.warning("%d files are left out; the first: %s", len(problems), problems[0])
    if not kept:
        raise DatasetError(f"no file can be decoded; the first: {problems[0]}")
    return [array for array in decoded if not isinstance(array, MediaError)], folders.identities[kept]


def decode_each(
    files: Sequence[Path], read: Callable[[Path], np.ndarray], description: str
) -> list[np.ndarray | MediaError]:
    """What `read` makes of each file, or the MediaError that it raises; description: of the progress bar."""

    def attempt(path: Path) -> np.ndarray | MediaError:
        try:
            return read(path)
        except MediaError as error:
            return error

    decoded: list[np.ndarray | MediaError] = []
    with (
        ThreadPoolExecutor(_DECODING_THREADS) as pool,
        progress_bar(total=len(files), description=description, unit="file") as bar,
    ):
        for array in pool.map(attempt, files):
            decoded.append(array)
            bar.update()
    return decoded


def validation_identities(folders: IdentityFolders, share: float, seed: int) -> np.ndarray:
    """Which identities are kept for validation: (names,) bool, of each corpus at least two and not all but one.

    Drawn by identity, so that no identity is on both sides.
    """
    mask = np.zeros(len(folders.names), dtype=bool)
    for corpus in np.unique(folders.corpora):
        rows = np.flatnonzero(folders.corpora == corpus)
        count = min(max(2, round(share * len(rows))), len(rows) - 2)
        stream = random_stream("encoder validation identities", seed, int(corpus))
        mask[stream.permutation(rows)[:count]] = True
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
    try:
        table = pd.read_csv(path, dtype={"identity": str})
    except (ValueError, OverflowError) as error:  # of pandas' parser, which has no name of its own for most
        raise DatasetError(f"{path}: not readable as a CSV of attributes: {error}") from error
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
