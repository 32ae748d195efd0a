"""Weights of published encoders: find them, fetch them, read them without running anything.

The order is: the path that was given; the cache folder; a download into the cache folder, announced by a
log line. What cannot be had is a WeightsError that names the file and the ways to provide it.
"""

import logging
import os
import pickle
import urllib.error
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from src.artifacts.sources import Modality
from src.core.errors import WeightsError
from src.core.files import atomic_path

LOGGER = logging.getLogger(__name__)
SHOWN_NAMES = 8
_OPTIONAL_SUFFIX = (
    "num_batches_tracked"  # counters that older PyTorch did not write and inference never reads
)


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file of weights that somebody else publishes.

    encoder: the encoder that needs it.
    modality: what the encoder embeds.
    name: the file's published name.
    url: where it is published.
    embedded: the compact encoder that ships with the project, named in the error message.
    """

    encoder: str
    modality: Modality
    name: str
    url: str
    embedded: str


ECAPA_FILE = PublishedFile(
    encoder="ecapa",
    modality="voice",
    name="embedding_model.ckpt",
    url="https://huggingface.co/speechbrain/spkrec-ecapa-voxceleb/resolve/main/embedding_model.ckpt",
    embedded="ecapa-compact",
)
VGGFACE2_FILE = PublishedFile(
    encoder="vggface2",
    modality="face",
    name="20180402-114759-vggface2.pt",
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
    embedded="face-compact",
)


def cache_folder() -> Path:
    """Where downloaded weights are kept: VOXFACE_WEIGHTS, or ~/.cache/voxface."""
    return Path(os.environ.get("VOXFACE_WEIGHTS") or Path.home() / ".cache" / "voxface")


def find_weights(file: PublishedFile, given: Path | None = None) -> Path:
    """The local path of a published file; downloads it when it is nowhere else and the network is allowed.

    given: the file, or a folder that holds it; nothing else is looked at when it is set.
    Raises WeightsError with the ways to provide the file.
    """
    if given is not None:
        path = given / file.name if given.is_dir() else given
        if not path.is_file():
            raise WeightsError(_missing_message(file, f"{path} was given, and there is no such file."))
        return path
    path = cache_folder() / file.encoder / file.name
    if not path.is_file():
        _download(file, path)
    return path


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a PyTorch state dict; a pickle that carries anything but tensors is refused, not run.

    Raises WeightsError.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path}: not readable as weights: it is damaged, cut short, or a pickle that carries code "
            f"(such files are never run). Fetch it again. ({type(error).__name__})"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: holds {type(state).__name__}, not a state dict of tensors.")
    return dict(state)


def fill_network(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, unused: Collection[str] = ()
) -> None:
    """Put a state dict into `network`.

    unused: names that the file may hold and the network does not need.
    Raises WeightsError that lists the keys which are missing or superfluous and the shapes which differ.
    """
    expected = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name not in unused}
    missing = [name for name in expected if name not in given and not name.endswith(_OPTIONAL_SUFFIX)]
    extra = [name for name in given if name not in expected]
    shapes = [
        f"{name} is {tuple(given[name].shape)} instead of {tuple(expected[name].shape)}"
        for name in expected
        if name in given and given[name].shape != expected[name].shape
    ]
    problems = [
        f"  {len(names)} {title}: {', '.join(names[:SHOWN_NAMES])}{' …' if len(names) > SHOWN_NAMES else ''}"
        for title, names in (("missing", missing), ("superfluous", extra), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise WeightsError(f"{path}: these weights do not fit the network:\n" + "\n".join(problems))
    network.load_state_dict({**expected, **given})


def downloads_allowed() -> bool:
    """False when HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().lower() not in {"1", "true", "yes", "on"}


def _download(file: PublishedFile, path: Path) -> None:
    if not downloads_allowed():
        raise WeightsError(
            _missing_message(file, "It is not in the cache, and HF_HUB_OFFLINE forbids a download.")
        )
    LOGGER.info("downloading the weights of %s: %s -> %s", file.encoder, file.url, path)
    try:
        with atomic_path(path) as temporary:
            torch.hub.download_url_to_file(file.url, str(temporary), progress=False)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise WeightsError(
            _missing_message(file, f"It is not in the cache, and the download failed: {error}")
        ) from error


def _missing_message(file: PublishedFile, what_happened: str) -> str:
    return (
        f"the weights of the {file.modality} encoder `{file.encoder}` are missing: {file.name}. {what_happened}\n"
        f"Provide them in one of three ways:\n"
        f"  1. put the file ({file.url}) at {cache_folder() / file.encoder / file.name}\n"
        f"  2. pass --{file.modality}-weights PATH with the file or the folder that holds it\n"
        f"  3. use the embedded encoder by name, --{file.modality}-encoder {file.embedded}: "
        f"it was made for the generated world and is no substitute on real data"
    )
