"""From a work folder to an embedding store of one modality."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from features.batching import process_count, with_batch_sizes
from features.face_tokens import make_face_worker
from features.records import lost_media_rows
from features.settings import TokenSettings
from features.voice_tokens import make_voice_worker
from src.artifacts.clean_media import CleanMedium, preprocessing_settings, read_clean_media
from src.artifacts.embedding_store import write_store_information
from src.artifacts.sources import Modality
from src.core.config import config_mapping
from src.core.device import choose_device
from src.core.engines.contract import Engine
from src.core.engines.local import LocalEngine
from src.core.errors import StoreError
from src.core.files import read_json
from src.core.output_lock import locked_output
from src.core.stage import PartWorker, Stage, StageSummary, run_stage, split_into_parts
from src.core.version import __version__
from src.encoders.registry import load_encoder
from src.encoders.selection import check_crops
from src.models.inference_form import has_fast_bfloat16

LOGGER = logging.getLogger(__name__)

PART_SIZES: dict[Modality, int] = {"voice": 64, "face": 128}
_MAKERS: dict[Modality, Callable[..., PartWorker[CleanMedium]]] = {
    "voice": make_voice_worker,
    "face": make_face_worker,
}


@dataclass(frozen=True, kw_only=True)
class ExtractionRequest:
    """What to extract.

    work: work folder. out: folder of the store. encoder, weights: see src/encoders/registry.py.
    device: auto, cpu or cuda. workers: processes, 0 for one a core, or two that share a GPU.
    engine: what carries out the parts. logs: folder of the logs.
    """

    modality: Modality
    work: Path
    out: Path
    encoder: str
    weights: Path | None
    device: str
    workers: int
    tokens: TokenSettings
    engine: Engine
    logs: Path


def extract(request: ExtractionRequest) -> StageSummary:
    """Embed every clean medium of a modality that is not embedded yet, and describe the store.

    Raises WeightsError for missing weights, StoreError for a store of another encoder or of other
    settings, DatasetError for a work folder without this modality.
    """
    device = choose_device(request.device)
    tokens = with_batch_sizes(request.tokens, device)
    if tokens.precision == "bfloat16" and not has_fast_bfloat16(device):
        LOGGER.warning(
            "this hardware does not multiply in bfloat16: the vectors are right, but float32 is faster"
        )
    with locked_output(request.out):
        return _extract(request, device, tokens)


def _extract(request: ExtractionRequest, device: torch.device, tokens: TokenSettings) -> StageSummary:
    media = read_clean_media(request.work, request.modality)
    # Loaded once here, so that missing weights are one clear error and not one of each process.
    description = load_encoder(request.encoder, "cpu", request.weights).description()
    provenance = {
        **description,
        "tokens": config_mapping(tokens),
        "preprocessing": preprocessing_settings(request.work, request.modality),
    }
    if request.modality == "face":
        check_crops(request.encoder, provenance["preprocessing"], request.work)
    _refuse_another_store(request.out, provenance)
    stage = Stage(
        name=f"{request.modality} embeddings",
        folder=request.out,
        parts=split_into_parts([[medium] for medium in media], PART_SIZES[request.modality]),
        make_worker=partial(
            _MAKERS[request.modality],
            tokens,
            request.work,
            request.encoder,
            request.weights,
            request.device,
        ),
        settings=provenance,
        lost_rows=lost_media_rows,
        logs=request.logs,
    )
    write_store_information(request.out, {**provenance, "version": __version__})
    # Ray counts for itself what its cluster has
    local = isinstance(request.engine, LocalEngine)
    workers = process_count(request.workers, device) if local else request.workers
    summary = run_stage(stage, workers, request.engine)
    # Sorted, since parts end in any order.
    reasons = dict(sorted(summary.failures.items()))
    counts = {"done": summary.done, "failed": summary.failed, "reasons": reasons}
    write_store_information(request.out, {**provenance, "version": __version__, "counts": counts})
    return summary


def _refuse_another_store(folder: Path, provenance: dict[str, Any]) -> None:
    path = folder / "store.json"
    if not path.is_file():
        return
    former = read_json(path)
    for name in ("encoder", "weights_sha256"):
        if former.get(name) != provenance[name]:
            raise StoreError(
                f"{folder}: holds embeddings of another encoder ({name} {former.get(name)}, asked for {provenance[name]}). "
                f"Remove the folder, or write elsewhere with --out"
            )
