"""What bounds the speed of embedding: the rate of matrix products, the networks' arithmetic, the rate of decoding."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.embeddings_networks import published_ecapa, published_inception
from benchmarks.embeddings_speed import CORES
from src.media.audio import SAMPLE_RATE_HZ, read_audio
from src.media.image import read_image, write_jpeg
from src.models.inception_face_encoder import INPUT_PIXELS

_MATRIX_SIDE = {"cpu": 2048, "cuda": 8192}
_ROUNDS = 8
_COUNTED_SECONDS = 4


def matrix_rates(device: torch.device) -> dict[str, float]:
    """Operations a second of one large matrix product in each precision, with a thread a core: the best of several."""
    side = _MATRIX_SIDE[device.type]
    threads = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        return {
            str(kind).removeprefix("torch."): 2 * side**3 / _product_seconds(side, kind, device)
            for kind in (torch.float32, torch.bfloat16)
        }
    finally:
        torch.set_num_threads(threads)


def _product_seconds(side: int, kind: torch.dtype, device: torch.device) -> float:
    left, right = (torch.ones(side, side, dtype=kind, device=device) for _ in range(2))

    def multiply() -> None:
        torch.mm(left, right)
        if device.type == "cuda":
            torch.cuda.synchronize()

    multiply()
    return min(_seconds(multiply) for _ in range(_ROUNDS))


def operations() -> dict[str, float]:
    """Of the published networks: for a second of speech, and for an image."""
    speech = torch.zeros(1, _COUNTED_SECONDS * SAMPLE_RATE_HZ)
    image = torch.zeros(1, 3, INPUT_PIXELS, INPUT_PIXELS)
    return {
        "voice": _count(published_ecapa().network, speech) / _COUNTED_SECONDS,
        "face": _count(published_inception().network, image),
    }


def _count(network: torch.nn.Module, batch: torch.Tensor) -> float:
    # The counter sees nothing in inference mode.
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(batch)
    return float(counter.get_total_flops())


def decoding_rates(files: Sequence[Path], crops: Sequence[np.ndarray]) -> dict[str, Any]:
    """Of one process: seconds of speech a second, where there are files, and JPEG crops a second."""
    rates: dict[str, Any] = {}
    if files:
        seconds = sum(len(read_audio(path)) for path in files) / SAMPLE_RATE_HZ
        rates["voice"] = seconds / _seconds(lambda: [read_audio(path) for path in files])
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jpg" for number in range(len(crops))]
        for path, crop in zip(paths, crops, strict=True):
            write_jpeg(path, np.ascontiguousarray(crop.transpose(1, 2, 0)))
        rates["face"] = len(paths) / _seconds(lambda: [read_image(path) for path in paths])
    return rates


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
