"""Finding the weights of published encoders.

The order is: the path that was given; the cache folder; the Hugging Face hub's own cache, which is only read; a
download into the cache folder, announced by a log line. What cannot be had is a WeightsError that names the file and
the ways to provide it. A file of the cache is verified each time: against the published checksum, or, where none is
known, against the one seen when the file was first used, which is kept beside it (trust on first use).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from src.artifacts.checkpoints import file_sha256
from src.core.errors import WeightsError
from src.core.files import write_text
from src.encoders.download import download
from src.encoders.published_files import EMBEDDED, PublishedFile, PublishedWeights
from src.encoders.trained_folder import find_trained_folder

LOGGER = logging.getLogger(__name__)
TRAINED_HERE = "voxface, a training of the user's"


@dataclass(frozen=True, kw_only=True)
class FoundWeights:
    """A file of weights on this machine, its checksum, and who made it.

    trained_language: the one language that they were trained on; None where it is unknown, or not one.
    """

    path: Path
    sha256: str
    source: str
    trained_language: str | None = None


def cache_folder() -> Path:
    """Where downloaded weights are kept: VOXFACE_WEIGHTS, or ~/.cache/voxface."""
    return Path(os.environ.get("VOXFACE_WEIGHTS") or Path.home() / ".cache" / "voxface")


def find_weights(weights: PublishedWeights, given: Path | None = None) -> FoundWeights:
    """The local file of published weights; downloads it when it is nowhere else and the network is allowed.

    given: the file under any name, a folder that holds it under its own, or the checkpoint folder of a training of this
        encoder; nothing else is looked at when it is set, and its content is up to the user.
    Raises WeightsError with the ways to provide the file, or for a file that is not the published one.
    """
    if given is not None:
        return _take_given(weights, given)
    located = locate_weights(weights)
    if located is None:
        _download(weights)
        located = locate_weights(weights)
        assert located is not None, "a download that raised nothing has written its file"
    file, path = located
    return FoundWeights(path=path, sha256=verify_checksum(file, path), source=weights.source)


def fetch_weights(weights: PublishedWeights) -> FoundWeights:
    """`find_weights`, and the files published beside it as well. Raises WeightsError."""
    found = find_weights(weights)
    for companion in weights.companions:
        if _locate(weights, companion) is None:
            _download_file(weights, companion)
    return found


def locate_weights(weights: PublishedWeights) -> tuple[PublishedFile, Path] | None:
    """The first of the files that is in a cache, and where; not verified, nothing is fetched."""
    present = ((file, _locate(weights, file)) for file in weights.files)
    return next(((file, path) for file, path in present if path is not None), None)


def verify_checksum(file: PublishedFile, path: Path) -> str:
    """The sha256 of a cached file. Raises WeightsError when it is not the published, or the remembered, one."""
    found = file_sha256(path)
    expected = file.sha256 or remembered_checksum(path)
    if expected is None:
        _remember_checksum(path, found)
    elif found != expected:
        raise WeightsError(
            f"{path}: not the file that was {'published' if file.sha256 else 'used before'}.\n"
            f"  sha256 expected: {expected}\n  sha256 found:    {found}\n"
            f"Remove it to have it fetched again{'' if file.url else ' or to put another there'}"
            f"{'' if file.sha256 else f' ({_checksum_path(path).name} as well)'}; weights of your own are given by "
            "their path and stay out of the cache."
        )
    return found


def remembered_checksum(path: Path) -> str | None:
    """The sha256 that was seen when the file was first used; None where it was not used yet."""
    try:
        return _checksum_path(path).read_text(encoding="utf-8").split()[0]
    except (FileNotFoundError, IndexError):
        return None


def downloads_allowed() -> bool:
    """False when HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().lower() not in {"1", "true", "yes", "on"}


def forbid_downloads() -> None:
    """Stay offline from here on, processes that are started included."""
    os.environ["HF_HUB_OFFLINE"] = "1"


def weights_places(weights: PublishedWeights) -> Iterator[str]:
    """One line a file: where it comes from and where it is put."""
    for file in weights.files:
        yield f"{file.url or f'{file.name}, from {weights.page},'} at {_cache_path(weights, file)}"


def _take_given(weights: PublishedWeights, given: Path) -> FoundWeights:
    trained = find_trained_folder(weights.encoder, given)
    if trained is not None:
        return FoundWeights(
            path=trained.weights_path,
            sha256=trained.weights_sha256,
            source=TRAINED_HERE,
            trained_language=trained.language,
        )
    names = [file.name for file in weights.files]
    candidates = [given / name for name in names] if given.is_dir() else [given]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise WeightsError(_missing_message(weights, f"{given} was given, and there is no such file."))
    return FoundWeights(path=path, sha256=file_sha256(path), source=weights.source)


def _cache_path(weights: PublishedWeights, file: PublishedFile) -> Path:
    return cache_folder() / weights.encoder / file.name


def _locate(weights: PublishedWeights, file: PublishedFile) -> Path | None:
    path = _cache_path(weights, file)
    return path if path.is_file() else _in_hub_cache(file)


def _in_hub_cache(file: PublishedFile) -> Path | None:
    if file.hub_repository is None:
        return None
    from huggingface_hub import try_to_load_from_cache  # takes a while to import, and is needed here only

    path = try_to_load_from_cache(file.hub_repository, file.name, revision=file.hub_revision)
    return Path(path) if isinstance(path, str) else None


def _download(weights: PublishedWeights) -> None:
    file = next((file for file in weights.files if file.url), None)
    if file is None:
        raise WeightsError(
            _missing_message(
                weights, "It is not in the cache, and its publisher has no place to fetch it from."
            )
        )
    _download_file(weights, file)


def _download_file(weights: PublishedWeights, file: PublishedFile) -> None:
    if not downloads_allowed():
        raise WeightsError(
            _missing_message(weights, "It is not in the cache, and HF_HUB_OFFLINE forbids a download.")
        )
    assert file.url is not None, "only files with an address are downloaded"
    LOGGER.info("the weights of %s are not here yet (licence: %s)", weights.encoder, weights.licence)
    try:
        download(file.url, _cache_path(weights, file), file.sha256)
    except OSError as error:
        raise WeightsError(
            _missing_message(weights, f"It is not in the cache, and the download failed: {error}.")
        ) from error


def _checksum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _remember_checksum(path: Path, sha256: str) -> None:
    try:
        write_text(_checksum_path(path), f"{sha256}  {path.name}\n")
    except OSError as error:
        LOGGER.warning("%s: its checksum could not be kept, so changes go unnoticed (%s)", path, error)


def _missing_message(weights: PublishedWeights, what_happened: str) -> str:
    modality = weights.modality
    places = "\n     or ".join(weights_places(weights))
    return (
        f"the weights of the {modality} encoder `{weights.encoder}` are missing: "
        f"{' or '.join(file.name for file in weights.files)}. {what_happened}\n"
        f"Provide them in one of three ways:\n"
        f"  1. put {places}\n"
        f"  2. pass --{modality}-weights PATH with the file or the folder that holds it\n"
        f"  3. use the embedded encoder by name, --{modality}-encoder {EMBEDDED[modality]}: "
        f"it was made for the generated world and is no substitute on real data"
    )
