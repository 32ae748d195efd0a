"""How fast media are embedded: worker processes of one thread each, beside a plain loop with as many threads.

Rounds alternate and the best of each counts, since other programs may run on the machine; processor times show what
they did to the wall times.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from benchmarks.embeddings_networks import (
    embed_crops_plainly,
    embed_recordings_plainly,
    plain_inception,
    published_ecapa,
    published_inception,
)
from features.batching import with_batch_sizes
from features.settings import TokenSettings
from features.voice_tokens import embed_pieces
from src.artifacts.sources import Modality
from src.encoders.contract import Batch, Encoder
from src.models.inference_form import Precision, has_fast_bfloat16

CORES = len(os.sched_getaffinity(0))
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
_CPU = torch.device("cpu")
_ROUNDS = 3
_TASKS_A_PROCESS = 4  # enough to end together

Medium = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Vectors (media, dimension), and what they took: wall, and processor seconds of all processes together."""

    vectors: np.ndarray
    wall_seconds: float
    processor_seconds: float


def measure_on_processor(modality: Modality, media: Sequence[Medium], amount: float) -> dict[str, Any]:
    """Speeds of both precisions and of the plain loop; amount: of the media, in seconds of speech or images."""
    plain = _plain_loop(modality, _CPU)
    found: dict[str, list[Timing]] = {name: [] for name in ("plain", *PRECISIONS)}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(CORES, context, _start, (modality,)) as pool, _threads(CORES):
        list(pool.map(_embed_part, [("bfloat16", media[:1])] * 4 * CORES))  # starts all and warms them up
        plain(media[:1])
        for _ in range(_ROUNDS):
            found["plain"].append(_timed(lambda: plain(media)))
            for precision in PRECISIONS:
                found[precision].append(_in_processes(pool, precision, media))
    best = {name: min(timings, key=lambda one: one.wall_seconds) for name, timings in found.items()}
    least = {name: min(one.processor_seconds for one in timings) for name, timings in found.items()}
    return {
        "media": len(media),
        "amount": amount,
        "processes": CORES,
        "plain": _rates(amount, best["plain"], least["plain"]),
        **{
            precision: {
                **_rates(amount, best[precision], least[precision]),
                **_against(best["plain"], best[precision]),
                "times_faster_by_processor_time": least["plain"] / least[precision],
            }
            for precision in PRECISIONS
        },
        "fast_bfloat16": has_fast_bfloat16(_CPU),
    }


def measure_on_gpu(modality: Modality, media: Sequence[Medium], amount: float) -> dict[str, Any]:
    """The same in one process on a GPU; or why there is none."""
    if not torch.cuda.is_available():
        return {"unavailable": "no GPU on this machine"}
    device = torch.device("cuda")
    plain = _plain_loop(modality, device)
    embedders = {precision: _embedder(modality, precision, device) for precision in PRECISIONS}
    plain(media[:2])
    found: dict[str, list[Timing]] = {name: [] for name in ("plain", *PRECISIONS)}
    for _ in range(_ROUNDS):
        found["plain"].append(_timed(lambda: plain(media)))
        for precision, embed in embedders.items():
            embed(media)
            found[precision].append(_timed(lambda embed=embed: embed(media)))  # type: ignore[misc]
    best = {name: min(timings, key=lambda one: one.wall_seconds) for name, timings in found.items()}
    return {
        "media": len(media),
        "amount": amount,
        "plain": {"a_second": amount / best["plain"].wall_seconds},
        **{
            precision: {
                "a_second": amount / best[precision].wall_seconds,
                **_against(best["plain"], best[precision]),
            }
            for precision in PRECISIONS
        },
    }


def _rates(amount: float, timing: Timing, processor_seconds: float) -> dict[str, float]:
    return {
        "a_second": amount / timing.wall_seconds,
        "a_processor_second": amount / processor_seconds,
    }


def _against(plain: Timing, ours: Timing) -> dict[str, float]:
    norms = np.linalg.norm(plain.vectors, axis=1) * np.linalg.norm(ours.vectors, axis=1)
    return {
        "times_faster": plain.wall_seconds / ours.wall_seconds,
        "smallest_cosine": float(((plain.vectors * ours.vectors).sum(axis=1) / norms).min()),
    }


def _plain_loop(modality: Modality, device: torch.device) -> Callable[[Sequence[Medium]], np.ndarray]:
    if modality == "voice":
        speaker = published_ecapa().network.to(device)
        return lambda media: embed_recordings_plainly(speaker, media, device)
    inception = plain_inception().to(device)
    return lambda media: embed_crops_plainly(inception, media, device)


def _embedder(
    modality: Modality, precision: Precision, device: torch.device
) -> Callable[[Sequence[Medium]], np.ndarray]:
    """What the features stage does with media of this modality once they are decoded."""
    published = published_ecapa() if modality == "voice" else published_inception()
    encoder = _moved(published, device).for_inference(precision)
    sizes = with_batch_sizes(TokenSettings(), device)
    assert sizes.batch_seconds is not None, "chosen for the device"
    assert sizes.batch_crops is not None, "chosen for the device"
    seconds, crops = sizes.batch_seconds, sizes.batch_crops
    if modality == "voice":
        return lambda media: embed_pieces(encoder, media, seconds)

    def batches(media: Sequence[Medium]) -> Iterator[Batch]:
        for first in range(0, len(media), crops):
            yield Batch(media=torch.from_numpy(np.stack(media[first : first + crops])))

    return lambda media: torch.cat(list(encoder.embed_each(batches(media)))).numpy()


def _moved(encoder: Encoder, device: torch.device) -> Encoder:
    return replace(encoder, network=encoder.network.to(device), device=device)


def _in_processes(pool: ProcessPoolExecutor, precision: Precision, media: Sequence[Medium]) -> Timing:
    """Every n-th medium to one task, so that all tasks hold as much."""
    tasks = min(len(media), _TASKS_A_PROCESS * CORES)
    started = time.perf_counter()
    results = list(pool.map(_embed_part, [(precision, media[first::tasks]) for first in range(tasks)]))
    wall_seconds = time.perf_counter() - started
    vectors = np.empty((len(media), results[0][0].shape[1]), np.float32)
    for first, (own, _) in enumerate(results):
        vectors[first::tasks] = own
    return Timing(
        vectors=vectors,
        wall_seconds=wall_seconds,
        processor_seconds=sum(seconds for _, seconds in results),
    )


def _timed(embed: Callable[[], np.ndarray]) -> Timing:
    started, processor_started = time.perf_counter(), time.process_time()
    vectors = embed()
    return Timing(
        vectors=vectors,
        wall_seconds=time.perf_counter() - started,
        processor_seconds=time.process_time() - processor_started,
    )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_embedders: dict[Precision, Callable[[Sequence[Medium]], np.ndarray]] = {}  # of this worker process


def _start(modality: Modality) -> None:
    torch.set_num_threads(1)
    for precision in PRECISIONS:
        _embedders[precision] = _embedder(modality, precision, _CPU)


def _embed_part(part: tuple[Precision, Sequence[Medium]]) -> tuple[np.ndarray, float]:
    """Vectors, and processor seconds."""
    precision, media = part
    started = time.process_time()
    vectors = _embedders[precision](media)
    return vectors, time.process_time() - started
