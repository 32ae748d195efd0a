"""What it costs to decode in processes of their own: python -m benchmarks.guarded_decoding --out FILE

As many readers as cores, each reading the same small file again and again, in its own process and under guard; and, for
scale, what the stages compute on such a file.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results_file import write_results
from src.encoders.contract import Batch
from src.encoders.registry import load_encoder
from src.media import audio, guarded, image

_ROUNDS, _SECONDS = 3, 1.5


def measure(folder: Path) -> dict[str, Any]:
    """Milliseconds a file, of decoding and of embedding it."""
    stream = np.random.default_rng(0)
    audio.write_audio(folder / "speech_8s.wav", stream.normal(scale=0.1, size=128_000).astype(np.float32))
    smooth = np.linspace(0, 255, 160 * 160 * 3).reshape(160, 160, 3).astype(np.uint8)
    image.write_jpeg(folder / "crop_160.jpg", smooth)
    image.write_jpeg(folder / "photograph_1600.jpg", np.tile(smooth, (10, 10, 1)))
    cases: list[tuple[str, Callable[[Path], object], Callable[[Path], object]]] = [
        ("speech_8s.wav", audio.read_audio, guarded.read_audio),
        ("crop_160.jpg", image.read_image, guarded.read_image),
        ("photograph_1600.jpg", image.read_image, guarded.read_image),
    ]
    figures: dict[str, Any] = {}
    for name, own, under_guard in cases:
        times = {"own": np.inf, "guarded": np.inf}
        for _ in range(_ROUNDS):
            for way, read in (("own", own), ("guarded", under_guard)):
                times[way] = min(times[way], _milliseconds(read, folder / name))
        figures[name] = {
            "own_process_ms": round(times["own"], 3),
            "guarded_ms": round(times["guarded"], 3),
            "added_ms": round(times["guarded"] - times["own"], 3),
        }
    figures["speech_8s.wav"]["embedding_ms"] = _embedding_ms("ecapa-compact", guarded.read_audio, folder)
    figures["crop_160.jpg"]["embedding_ms"] = _embedding_ms("face-compact", guarded.read_image, folder)
    for name in ("speech_8s.wav", "crop_160.jpg"):
        one = figures[name]
        one["share_of_reading_and_embedding"] = round(
            one["added_ms"] / (one["own_process_ms"] + one["embedding_ms"]), 4
        )
    return figures


def _milliseconds(read: Callable[[Path], object], path: Path) -> float:
    """Of one file, while every core reads."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    readers = len(os.sched_getaffinity(0))
    processes = [context.Process(target=_read_again, args=(read, path, answers)) for _ in range(readers)]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return float(np.mean(found))


def _read_again(read: Callable[[Path], object], path: Path, answers: Any) -> None:
    read(path)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < _SECONDS:
        read(path)
        count += 1
    answers.put((time.perf_counter() - start) / count * 1000)


def _embedding_ms(name: str, read: Callable[[Path], np.ndarray], folder: Path) -> float:
    """On one thread: the whole file once; of a crop also its mirror image."""
    import torch

    torch.set_num_threads(1)
    encoder = load_encoder(name).for_inference("float32")
    if encoder.modality == "voice":
        media = torch.from_numpy(read(folder / "speech_8s.wav"))[None]
    else:
        crop = encoder.prepare_crop(read(folder / "crop_160.jpg"))
        media = torch.stack([crop, crop.flip(-1)])
    times = []
    for _ in range(5):
        start = time.perf_counter()
        list(encoder.embed_each([Batch(media=media)]))
        times.append(time.perf_counter() - start)
    return round(min(times) * 1000, 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guarded_decoding", description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder))
    for name, one in figures.items():
        print(name, one)
    if options.out:
        write_results(options.out, {"readers": len(os.sched_getaffinity(0)), "files": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
