"""Pipelines of pyannote.audio: their parts found on disk or on the hub, and loaded without a word to anybody.

Every file is found here first and handed over as a local path, so that what is missing can be explained, what
was used can be named by its checksum, and pyannote.audio itself never looks for the network. Two traps of
its version 4 are avoided on the way: it wants the PLDA of community-1 even for pipelines that do not use it,
such as 3.1, and takes a local embedding model for another format when its path holds certain words.
"""

import copy
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
import yaml

from preprocessing.pyannote_checkpoint import harmless_checkpoint
from src.artifacts.checkpoints import file_sha256
from src.core.errors import WeightsError
from src.encoders.weights import downloads_allowed

CONFIG_FILE = "config.yaml"
_PART_FILES = {
    "segmentation": ("pytorch_model.bin",),
    "embedding": ("pytorch_model.bin",),
    "plda": ("plda.npz", "xvec_transform.npz"),
}
_DEFAULT_PARTS = "pyannote/speaker-diarization-community-1"  # whose parts version 4 takes for those not named
_PIPELINE_NAMES = {
    "pyannote.audio.pipelines.SpeakerDiarization",
    "pyannote.audio.pipelines.speaker_diarization.SpeakerDiarization",
}
_CLUSTERING_WITH_PLDA = "VBxClustering"
_ANSWER_SECONDS = 10.0  # the hub is asked once, for so long


@dataclass(frozen=True, kw_only=True)
class LoadedPipeline:
    """A pipeline ready to be called.

    pipeline: `pyannote.audio.pipelines.SpeakerDiarization`.
    description: its name, version, configuration and the checksums of its files, ready for JSON.
    """

    pipeline: Any
    description: dict[str, Any]


@contextmanager
def quiet_pyannote() -> Iterator[None]:
    """No telemetry, warning or print of pyannote.audio within; its sound decoder, which may not load, is not used."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"  # read at import and again at every call
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def load_pipeline(name: str, device: torch.device) -> LoadedPipeline:
    """A speaker diarization pipeline from a local folder, or from the hub by its name.

    Raises WeightsError that says how to get what is missing.
    """
    local, config = _read_config(name)
    parameters = config["pipeline"].setdefault("params", {})
    published = copy.deepcopy(config)
    files: dict[str, Path] = {}
    for part in _PART_FILES:
        if part == "plda" and parameters.get("clustering", _CLUSTERING_WITH_PLDA) != _CLUSTERING_WITH_PLDA:
            continue
        found = _find_part(parameters.get(part), part, name, local)
        files.update({f"{part}/{path.name}": path for path in found})
        if part == "plda":
            parameters[part] = str(found[0].parent)
            continue
        # a mapping is always read as pyannote.audio's own format, whatever words a path holds
        with quiet_pyannote():
            parameters[part] = {"checkpoint": harmless_checkpoint(found[0]), "strict": False}
    return LoadedPipeline(
        pipeline=_build(config, name, device),
        description={
            "pipeline": name if local is None else local.name,
            "pyannote_audio": _version(),
            "config": published,
            "sha256": {file: file_sha256(path) for file, path in files.items()},
        },
    )


def _version() -> str:
    from importlib.metadata import version

    return version("pyannote.audio")


def _build(config: dict[str, Any], name: str, device: torch.device) -> Any:
    with quiet_pyannote():
        try:
            from pyannote.audio import Pipeline
            from pyannote.audio.core.plda import PLDA
            from pyannote.audio.telemetry import set_telemetry_metrics
        except ImportError as error:
            raise WeightsError(
                f"--diarizer pyannote needs pyannote.audio 4: pip install pyannote.audio ({error})"
            ) from error
        set_telemetry_metrics(False)
        # what clusters without a PLDA is given an empty one, since none at all is refused
        config["pipeline"]["params"].setdefault("plda", object.__new__(PLDA))
        try:
            pipeline: Any = Pipeline.from_pretrained(config)
            return pipeline.to(device)
        except Exception as error:  # what is damaged or of another version may raise anything
            raise WeightsError(
                f"{name}: pyannote.audio cannot load this pipeline; a file is damaged, or of another version. "
                f"Fetch it again. ({type(error).__name__}: {error})"
            ) from error


def _read_config(name: str) -> tuple[Path | None, dict[str, Any]]:
    """The folder of a local pipeline (None for one of the hub), and its configuration."""
    given = Path(name).expanduser()
    if given.exists():
        path = given / CONFIG_FILE if given.is_dir() else given
        if not path.is_file():
            raise WeightsError(
                f"{given}: no pipeline folder of pyannote.audio: it holds no {CONFIG_FILE}.\n{_advice(name)}"
            )
        local: Path | None = path.parent
    elif len(given.parts) == 2 and not name.startswith((".", "~")):
        path, local = _hub_file(name, CONFIG_FILE), None
    else:
        raise WeightsError(f"{given}: no such pipeline folder.\n{_advice(name)}")
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        kind = config["pipeline"]["name"]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not the configuration of a pipeline ({error!r}).") from error
    if kind not in _PIPELINE_NAMES:
        raise WeightsError(f"{path}: is a pipeline {kind}, not one of speaker diarization.")
    if "preprocessors" in config:  # names of classes, which pyannote.audio would import and call
        raise WeightsError(f"{path}: names preprocessors, which are code; remove that section.")
    return local, config


def _find_part(named: Any, part: str, pipeline: str, local: Path | None) -> list[Path]:
    """The files of one part, which the configuration names as a path, as `$model/folder`, or as a model of the hub."""
    if named is None:
        named = {"checkpoint": _DEFAULT_PARTS, "subfolder": part}
    if isinstance(named, str) and named.startswith("$model/"):
        named = {"checkpoint": str(local or pipeline), "subfolder": named.removeprefix("$model/")}
    if not isinstance(named, Mapping):
        named = {"checkpoint": str(named)}
    checkpoint, subfolder = str(named["checkpoint"]), str(named.get("subfolder") or "")
    for place in _local_places(checkpoint, subfolder, local):
        files = [place] if place.is_file() else [place / file for file in _PART_FILES[part]]
        if all(file.is_file() for file in files):
            return files
    if Path(checkpoint).exists() or checkpoint.count("/") != 1:
        wanted = " and ".join(_PART_FILES[part])
        raise WeightsError(
            f"{pipeline}: its {part} is to be at {Path(checkpoint, subfolder)}, where there is no {wanted}.\n{_advice(pipeline)}"
        )
    repository, _, revision = checkpoint.partition("@")
    return [
        _hub_file(repository, file, subfolder=subfolder or None, revision=revision or None)
        for file in _PART_FILES[part]
    ]


def _local_places(checkpoint: str, subfolder: str, local: Path | None) -> Iterator[Path]:
    """Where a part may lie: as named, from here or from the pipeline's folder; or under its name in or beside that folder."""
    yield Path(checkpoint, subfolder)
    if local is not None:
        yield local / checkpoint / subfolder
        model = checkpoint.rpartition("/")[2].partition("@")[0]
        yield local / model / subfolder
        yield local.parent / model / subfolder


def _hub_file(
    repository: str, file: str, *, subfolder: str | None = None, revision: str | None = None
) -> Path:
    """A file of the hub: from its cache, else downloaded. Raises WeightsError."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    cached = huggingface_hub.try_to_load_from_cache(
        repository, f"{subfolder}/{file}" if subfolder else file, revision=revision
    )
    if isinstance(cached, str):
        return Path(cached)
    what = f"{subfolder}/{file}" if subfolder else file
    if not downloads_allowed():
        raise WeightsError(
            f"{repository}: {what} is not in the cache of the Hugging Face hub, and HF_HUB_OFFLINE forbids a download.\n"
            f"{_advice(repository)}"
        )
    try:
        # asked once here, since the download itself tries again for half a minute where there is no network
        url = huggingface_hub.hf_hub_url(repository, file, subfolder=subfolder, revision=revision)
        huggingface_hub.get_hf_file_metadata(url, timeout=_ANSWER_SECONDS)
        return Path(huggingface_hub.hf_hub_download(repository, file, subfolder=subfolder, revision=revision))
    except HfHubHTTPError as error:
        problem = f"the hub refuses {what} ({type(error).__name__})"
        raise WeightsError(f"{repository}: {problem}.\n{_advice(repository)}") from error
    except Exception as error:  # whatever the hub's network library of the day raises
        problem = f"{what} cannot be downloaded ({type(error).__name__}: {error})"
        raise WeightsError(f"{repository}: {problem}.\n{_advice(repository)}") from error


def _advice(name: str) -> str:
    of_hub = name.count("/") == 1 and not name.startswith((".", "~", "/"))
    page = f"https://huggingface.co/{name if of_hub else _DEFAULT_PARTS}"
    return (
        "Provide the pipeline in one of three ways:\n"
        f"  1. accept the conditions at {page}, make a token there, and log in: `hf auth login`, or set HF_TOKEN\n"
        "  2. pass --diarizer-model FOLDER with its config.yaml. What the file names as `$model/NAME` lies in FOLDER/NAME;\n"
        "     a model of the hub, as pyannote/segmentation-3.0, in FOLDER/segmentation-3.0 or beside FOLDER, each with its\n"
        "     pytorch_model.bin\n"
        "  3. use --diarizer embedded, which needs no download"
    )
