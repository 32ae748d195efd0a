"""How fast `embedded` diarizes, beside a plain loop and the speed of decoding alone; and the memory of a long file."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pyarrow as pa
import torch
from sklearn.cluster import AgglomerativeClustering

from benchmarks.results_file import ROOT
from preprocessing.diarizers import make_diarizer
from preprocessing.speaker_frames import Diarizer
from preprocessing.speech_settings import SpeechSettings
from src.core.stage import DONE, PartTables, Stage, read_parts, run_stage, split_into_parts
from src.encoders.contract import Encoder
from src.encoders.registry import load_encoder
from src.media.audio import SAMPLE_RATE_HZ, read_audio, write_audio

ENCODER = "ecapa-compact"
FILES_IN_PART = 10
PLAIN_LOOP_SECONDS, ONE_CORE_SECONDS = 300.0, 600.0
LONG_FILE_SECONDS = 7200.0
_WINDOW_SAMPLES, _HOP_SAMPLES = 24_000, 12_000


class DiarizationWorker:
    """Decodes and diarizes the files of a part, each alone, and notes when it began and ended."""

    def __init__(self, diarizer: Diarizer) -> None:
        self.diarizer = diarizer

    def __call__(self, paths: Sequence[Path]) -> PartTables:
        """The table `manifest`: one row a file, with the part's times."""
        began = time.monotonic()
        recordings = [read_audio(path) for path in paths]
        self.diarizer([[samples] for samples in recordings])
        times = {"began_seconds": began, "ended_seconds": time.monotonic(), "status": DONE, "reason": ""}
        rows = [{**times, "audio_seconds": len(samples) / SAMPLE_RATE_HZ} for samples in recordings]
        return {"manifest": pa.Table.from_pylist(rows)}


def make_diarization_worker(settings: SpeechSettings) -> DiarizationWorker:
    """The worker with the embedded encoder, on the CPU; called once in each process."""
    return DiarizationWorker(make_diarizer(settings, ENCODER, None, torch.device("cpu")))


def measure_speed(paths: Sequence[Path], workers: int = 2) -> dict[str, Any]:
    """Seconds of sound a second: with worker processes, on one core, of a plain loop, and of decoding alone.

    `times_real_time` runs from the first file's beginning to the last one's end; `with_start_up` counts what
    starting the processes and loading the networks takes too.
    """
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(
            name="diarizing",
            folder=Path(folder),
            parts=split_into_parts([[path] for path in paths], FILES_IN_PART),
            make_worker=partial(make_diarization_worker, SpeechSettings()),
            settings={},
        )
        started = time.monotonic()
        run_stage(stage, workers)
        wall_seconds = time.monotonic() - started
        rows = read_parts(Path(folder) / "manifest").to_pylist()
    audio_seconds = sum(row["audio_seconds"] for row in rows)
    busy_seconds = max(row["ended_seconds"] for row in rows) - min(row["began_seconds"] for row in rows)
    return {
        "audio_seconds": audio_seconds,
        "workers": workers,
        "times_real_time": audio_seconds / busy_seconds,
        "with_start_up": audio_seconds / wall_seconds,
        "one_core": _one_core_rate(paths),
        "plain_loop": _plain_loop_rate(paths),
        "decoding_alone_one_core": _rate(len, _first(paths, ONE_CORE_SECONDS), read_audio),
    }


def _one_core_rate(paths: Sequence[Path]) -> float:
    worker, chosen = make_diarization_worker(SpeechSettings()), _first(paths, ONE_CORE_SECONDS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        worker(chosen[:1])  # warms up
        rows = [row for path in _chunks(chosen) for row in worker(path)["manifest"].to_pylist()]
    finally:
        torch.set_num_threads(threads)
    took = sum({row["began_seconds"]: row["ended_seconds"] - row["began_seconds"] for row in rows}.values())
    return float(sum(row["audio_seconds"] for row in rows) / took)


def _plain_loop_rate(paths: Sequence[Path]) -> float:
    """One file after the other, the voice activity detector's own runner, one window after the other."""
    threads = torch.get_num_threads()
    from silero_vad import get_speech_timestamps, load_silero_vad  # importing it sets the number of threads

    torch.set_num_threads(threads)
    network, encoder = load_silero_vad(), load_encoder(ENCODER)
    diarize = partial(_diarize_plainly, partial(get_speech_timestamps, model=network), encoder)
    chosen = _first(paths, PLAIN_LOOP_SECONDS)
    return _rate(diarize, chosen, lambda path: librosa.load(path, sr=SAMPLE_RATE_HZ)[0])


def _diarize_plainly(
    find_speech: Callable[[torch.Tensor], list[dict[str, int]]], encoder: Encoder, samples: np.ndarray
) -> None:
    speech = find_speech(torch.from_numpy(samples))
    vectors = [
        encoder.embed(torch.from_numpy(samples[None, start : start + _WINDOW_SAMPLES])).numpy()[0]
        for stretch in speech
        for start in range(
            stretch["start"], max(stretch["start"] + 1, stretch["end"] - _WINDOW_SAMPLES), _HOP_SAMPLES
        )
        if len(samples) - start >= encoder.input.shortest_samples  # type: ignore[union-attr]
    ]
    if len(vectors) > 1:
        AgglomerativeClustering(
            n_clusters=None, distance_threshold=0.5, metric="cosine", linkage="average"
        ).fit_predict(np.stack(vectors))


def _rate(
    process: Callable[[np.ndarray], object], paths: Sequence[Path], read: Callable[[Path], np.ndarray]
) -> float:
    """Seconds of sound a second of reading and processing one file after the other, the first one twice."""
    process(read(paths[0]))  # warms up
    audio_seconds, started = 0.0, time.monotonic()
    for path in paths:
        samples = read(path)
        process(samples)
        audio_seconds += len(samples) / SAMPLE_RATE_HZ
    return audio_seconds / (time.monotonic() - started)


def _first(paths: Sequence[Path], seconds: float) -> list[Path]:
    """As many of the files as make up `seconds`."""
    chosen: list[Path] = []
    for path in paths:
        if seconds <= 0:
            break
        chosen.append(path)
        seconds -= librosa.get_duration(path=path)
    return chosen


def _chunks(paths: Sequence[Path]) -> list[Sequence[Path]]:
    return [paths[first : first + FILES_IN_PART] for first in range(0, len(paths), FILES_IN_PART)]


def measure_memory(paths: Sequence[Path], seconds: float = LONG_FILE_SECONDS) -> dict[str, float]:
    """Peak memory in bytes of preprocessing one file of `seconds`, made of the given ones, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "dataset/voices/somebody/long.wav"
        _write_long_file(source, paths, seconds)
        arguments = [str(source.parents[2]), "--out", f"{folder}/work", "--modality", "voice"]
        arguments += ["--voice-encoder", ENCODER, "--workers", "1", "--device", "cpu"]
        started = time.monotonic()
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.peak_memory", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return {
        "file_seconds": seconds,
        "peak_bytes": float(finished.stdout.split()[-1]),
        "times_real_time": seconds / (time.monotonic() - started),
    }


def _write_long_file(path: Path, parts: Sequence[Path], seconds: float) -> None:
    samples = np.empty(round(seconds * SAMPLE_RATE_HZ), np.float32)
    filled = 0
    for part in cycle(parts):
        block = read_audio(part)[: len(samples) - filled]
        samples[filled : filled + len(block)] = block
        filled += len(block)
        if filled == len(samples):
            break
    write_audio(path, samples)
