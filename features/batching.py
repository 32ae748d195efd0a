"""How media are put into batches: by total duration, whatever their number; how far files are decoded ahead."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch

from features.settings import TokenSettings

# On a processor what passes through the network should fit its cache; a GPU must be filled.
_BATCH_SECONDS = {"cpu": 8.0, "cuda": 320.0}
_BATCH_CROPS = {"cpu": 16, "cuda": 512}
# Two take turns: while one decodes, writes or waits, the other computes. More only take the GPU's memory.
_GPU_PROCESSES = 2
_MOST_READING_THREADS = 8

Item = TypeVar("Item")
Content = TypeVar("Content")


def with_batch_sizes(settings: TokenSettings, device: torch.device) -> TokenSettings:
    """The settings with those batch sizes that were left open chosen for a device."""
    return replace(
        settings,
        batch_seconds=settings.batch_seconds or _BATCH_SECONDS.get(device.type, _BATCH_SECONDS["cuda"]),
        batch_crops=settings.batch_crops or _BATCH_CROPS.get(device.type, _BATCH_CROPS["cuda"]),
    )


def process_count(workers: int, device: torch.device) -> int:
    """Processes for a device: as asked for; for 0 one a core, or few that share a GPU."""
    return workers or (0 if device.type == "cpu" else _GPU_PROCESSES)


def reading_threads(device: torch.device) -> int:
    """Threads of one process that decode ahead: none on a processor, whose every core has a process that computes."""
    if device.type == "cpu":
        return 0
    return max(1, min(_MOST_READING_THREADS, len(os.sched_getaffinity(0)) // _GPU_PROCESSES))


def duration_batches(
    lengths: Sequence[int], most_samples: int, *, mixes_lengths: bool
) -> Iterator[np.ndarray]:
    """Places of pieces, in batches of at most `most_samples` in all; a longer piece is a batch of its own.

    Pieces go by length, so that those of a batch are alike; with `mixes_lengths` off they are equal.
    """
    batch: list[int] = []
    total = 0
    for place in np.argsort(lengths, kind="stable"):
        length = int(lengths[place])
        differs = bool(batch) and not mixes_lengths and length != lengths[batch[0]]
        if batch and (differs or total + length > most_samples):
            yield np.array(batch)
            batch, total = [], 0
        batch.append(int(place))
        total += length
    if batch:
        yield np.array(batch)


def read_ahead(read: Callable[[Item], Content], items: Iterable[Item], threads: int) -> Iterator[Content]:
    """What `read` makes of each item, in their order; a few items ahead where there are threads."""
    if not threads:
        yield from map(read, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Content]] = deque()
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """One thread for each process that computes on a processor.

    That is the fastest with a process a core, and sums are then taken in one order: the number of processes
    changes no bit of a vector.
    """
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
