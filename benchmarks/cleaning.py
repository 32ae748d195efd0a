"""How much noise the cleaning of speech takes away, what it does to clean speech, and how fast it is.

    python -m benchmarks.cleaning LIBRISPEECH/train [--out cleaning.json]

Distortion: scale-invariant signal-to-distortion ratio against the clean recording, with white and pink noise at 5 dB,
and without noise; the Wiener filter alone, and with the band-pass (then against the band-passed clean recording).
Speed: read, clean, level and write WAV files, some of them stereo at 44.1 kHz, in the processes of the stage runner,
against a plain loop over the files in one process that does the same with librosa.load, sosfiltfilt and SciPy's stft and
istft; beside it, what decoding alone would take.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pyarrow as pa
import soundfile
import soxr
from scipy.signal import butter, istft, sosfiltfilt, stft
from scipy.signal.windows import hann

from benchmarks.results_file import write_results
from preprocessing.conditioning import band_pass, clean_recording, set_level
from preprocessing.noise_tracking import SILENT_FRAME_ENERGY
from preprocessing.speech_settings import CleaningSettings
from preprocessing.wiener import wiener_filter
from src.core.command_line import run_command
from src.core.errors import DatasetError
from src.core.stage import DONE, PartTables, PartWorker, Stage, read_parts, run_stage, split_into_parts
from src.media.audio import SAMPLE_RATE_HZ, read_audio, write_audio

NOISE_RATIO_DB = 5.0
GAIN_FLOORS_DB = (-6.0, -10.0, -15.0, -20.0)
KINDS: tuple[Any, ...] = ("tracked", "percentile")
OTHER_RATE_HZ = 44_100
ONE_IN_OTHER_RATE = 5  # so many recordings give one stereo file at 44.1 kHz
PART_FILES = 8
Noise = Callable[[int, np.random.Generator], np.ndarray]


def measure(
    speech_folder: Path, recordings: int = 24, speed_files: int = 250, workers: int = 2
) -> dict[str, Any]:
    """All figures as JSON-able numbers.

    speech_folder: clean recordings of single speakers, searched recursively.
    recordings: how many are made noisy; speed_files: how many are timed. Both are spread over the folder.
    Raises DatasetError where the folder holds no recording.
    """
    found = sorted(path for pattern in ("*.flac", "*.wav") for path in speech_folder.rglob(pattern))
    if not found:
        raise DatasetError(f"{speech_folder}: holds no .flac or .wav file")
    return {
        "distortion": measure_distortion(_spread(found, recordings)),
        "speed": measure_speed(_spread(found, speed_files), workers),
    }


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    return [
        paths[place] for place in np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
    ]


def signal_to_distortion_db(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant ratio of two recordings (samples,) in dB.

    Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, eq. 4; means are taken off first.
    """
    estimate, reference = (
        part.astype(np.float64) - part.mean(dtype=np.float64) for part in (estimate, reference)
    )
    target = (estimate @ reference) / (reference @ reference) * reference
    distortion = estimate - target
    return float(10 * np.log10((target @ target) / (distortion @ distortion)))


def white_noise(sample_count: int, generator: np.random.Generator) -> np.ndarray:
    """Noise of the same power at all frequencies."""
    return generator.normal(size=sample_count)


def pink_noise(sample_count: int, generator: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as 1 / frequency, from 20 Hz on."""
    spectrum = np.fft.rfft(generator.normal(size=sample_count))
    frequencies = np.fft.rfftfreq(sample_count, 1 / SAMPLE_RATE_HZ)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20)), n=sample_count)


def add_noise(clean: np.ndarray, noise: np.ndarray, ratio_db: float) -> np.ndarray:
    """`clean` with `noise` at a signal-to-noise ratio over the whole recording."""
    scale = np.sqrt((clean @ clean) / (noise @ noise)) * 10 ** (-ratio_db / 20)
    return clean + (noise * scale).astype(np.float32)


def measure_distortion(paths: Sequence[Path]) -> dict[str, Any]:
    """Gains and remaining ratios in dB of both kinds of filter, by gain floor; the default floor's are marked."""
    cleans = [read_audio(path) for path in paths]
    default = CleaningSettings()
    return {
        "recordings": len(paths),
        "noise_ratio_db": NOISE_RATIO_DB,
        "default": {"wiener": default.wiener, "gain_floor_db": default.gain_floor_db},
        "by_filter": [
            {"wiener": kind, "gain_floor_db": floor_db}
            | _distortion_of(CleaningSettings(wiener=kind, gain_floor_db=floor_db), cleans)
            for kind in KINDS
            for floor_db in GAIN_FLOORS_DB
        ],
    }


def _distortion_of(settings: CleaningSettings, cleans: Sequence[np.ndarray]) -> dict[str, float]:
    figures: dict[str, Any] = {}
    noises: dict[str, Noise] = {"white": white_noise, "pink": pink_noise}
    for name, noise in noises.items():
        gains = []
        for seed, clean in enumerate(cleans):
            noisy = add_noise(clean, noise(len(clean), np.random.default_rng(seed)), NOISE_RATIO_DB)
            filtered = signal_to_distortion_db(wiener_filter(noisy, settings), clean)
            gains.append(filtered - signal_to_distortion_db(noisy, clean))
        figures |= {f"{name}_gain_db": np.mean(gains), f"{name}_lowest_gain_db": np.min(gains)}
    alone = [signal_to_distortion_db(wiener_filter(clean, settings), clean) for clean in cleans]
    banded = [band_pass(clean, settings.lowest_hz, settings.highest_hz) for clean in cleans]
    after_band = [
        signal_to_distortion_db(clean_recording(clean, settings), band)
        for clean, band in zip(cleans, banded, strict=True)
    ]
    figures |= {"clean_db": np.mean(alone), "clean_lowest_db": np.min(alone)}
    figures |= {
        "clean_after_band_pass_db": np.mean(after_band),
        "clean_after_band_pass_lowest_db": np.min(after_band),
    }
    return {name: round(float(figure), 2) for name, figure in figures.items()}


def measure_speed(paths: Sequence[Path], workers: int) -> dict[str, Any]:
    """Seconds of both ways over the same files, and how far their results differ, for both kinds of filter.

    `core_seconds` are seconds of computation, which other work on the machine does not lengthen.
    """
    figures: dict[str, Any] = {"workers": workers}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files, sound_seconds = _write_copies(paths, root / "raw")
        figures |= {"files": len(files), "sound_seconds": round(sound_seconds, 1)}
        figures["decoding_alone"] = _run_in_processes(files, root / "decoded", workers, None)
        for kind in KINDS:
            settings = CleaningSettings(wiener=kind)
            ours, plain = root / f"ours_{kind}", root / f"plain_{kind}"
            own = _run_in_processes(files, ours, workers, settings)
            loop = _run_plain_loop(files, plain, settings)
            figures[kind] = {
                **own,
                "plain_loop": loop,
                "times_faster": round(loop["seconds"] / own["seconds"], 2),
                "times_less_computation": round(loop["core_seconds"] / own["core_seconds"], 2),
                "times_real_time": round(sound_seconds / own["seconds"]),
                "largest_difference": max(_difference(ours / file.name, plain / file.name) for file in files),
            }
    return figures


def _write_copies(paths: Sequence[Path], folder: Path) -> tuple[list[Path], float]:
    """WAV copies, one in `ONE_IN_OTHER_RATE` once more in stereo at 44.1 kHz; their names and seconds of sound."""
    folder.mkdir()
    files, seconds = [], 0.0
    for place, path in enumerate(paths):
        samples = read_audio(path)
        files.append(folder / f"{place:05d}.wav")
        soundfile.write(files[-1], samples, SAMPLE_RATE_HZ)
        seconds += len(samples) / SAMPLE_RATE_HZ
        if place % ONE_IN_OTHER_RATE == 0:
            other = np.clip(soxr.resample(samples, SAMPLE_RATE_HZ, OTHER_RATE_HZ), -1, 1)
            files.append(folder / f"{place:05d}_stereo.wav")
            soundfile.write(files[-1], np.stack([other, 0.5 * other], axis=1), OTHER_RATE_HZ)
            seconds += len(samples) / SAMPLE_RATE_HZ
    return files, seconds


def _run_in_processes(
    files: Sequence[Path], out: Path, workers: int, settings: CleaningSettings | None
) -> dict[str, float]:
    """Seconds from the first file to the last in the stage runner; the start of its processes does not count.

    settings: None = decoding alone.
    """
    stage = Stage(
        name="cleaning" if settings else "decoding",
        folder=out / "parts",
        parts=split_into_parts([[str(file)] for file in files], PART_FILES),
        make_worker=partial(_make_worker, out, settings),
        settings={},
    )
    run_stage(stage, workers)
    times = read_parts(out / "parts" / "manifest").to_pandas()
    return _rounded(times["ended"].max() - times["started"].min(), times["core_seconds"].sum())


def _make_worker(out: Path, settings: CleaningSettings | None) -> PartWorker[str]:
    if settings:
        clean_recording(np.ones(SAMPLE_RATE_HZ, np.float32), settings)  # loads what is compiled
    return partial(_clean_part, out, settings)


def _clean_part(out: Path, settings: CleaningSettings | None, files: Sequence[str]) -> PartTables:
    started, core_started = time.perf_counter(), time.process_time()
    for file in files:
        samples = read_audio(Path(file))
        if settings:
            clean_recording(samples, settings, out=samples)
            set_level(samples, settings.level_db, settings.peak_db, out=samples)
            write_audio(out / Path(file).name, samples)
    rows: list[dict[str, Any]] = [{"status": DONE, "reason": ""} for _ in files]
    rows[0] |= {
        "started": started,
        "ended": time.perf_counter(),
        "core_seconds": time.process_time() - core_started,
    }
    return {"manifest": pa.Table.from_pylist(rows)}


def _run_plain_loop(files: Sequence[Path], out: Path, settings: CleaningSettings) -> dict[str, float]:
    out.mkdir()
    clean_plainly(files[0], out, settings)  # loads what is imported late
    started, core_started = time.perf_counter(), time.process_time()
    for file in files:
        clean_plainly(file, out, settings)
    return _rounded(time.perf_counter() - started, time.process_time() - core_started)


def _rounded(seconds: float, core_seconds: float) -> dict[str, float]:
    return {"seconds": round(float(seconds), 2), "core_seconds": round(float(core_seconds), 2)}


def _difference(first: Path, second: Path) -> float:
    """Largest difference of two recordings but for their last 10 ms: resamplers round the length differently."""
    ours, plain = read_audio(first), read_audio(second)
    common = min(len(ours), len(plain)) - SAMPLE_RATE_HZ // 100
    return round(float(np.abs(ours[:common] - plain[:common]).max()), 5)


def clean_plainly(file: Path, out: Path, settings: CleaningSettings) -> None:
    """Read, clean, level and write one file as a script would, with the same filter."""
    samples, _ = librosa.load(file, sr=SAMPLE_RATE_HZ)
    sections = butter(
        4, [settings.lowest_hz, settings.highest_hz], btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos"
    )
    banded = sosfiltfilt(sections, samples, padlen=SAMPLE_RATE_HZ // 10)
    window = np.sqrt(hann(512, sym=False))
    frames: dict[str, Any] = {"fs": SAMPLE_RATE_HZ, "window": window, "nperseg": 512, "noverlap": 256}
    _, _, spectra = stft(banded, **frames)
    spectra = spectra.T
    gains = _plain_gains(np.square(np.abs(spectra) * window.sum()), settings)
    _, filtered = istft((spectra * gains).T, **frames)
    filtered = filtered[: len(samples)]
    gain = 10 ** ((settings.level_db or 0) / 20) / np.sqrt(np.mean(filtered**2))
    gain = min(gain, 10 ** (settings.peak_db / 20) / np.abs(filtered).max())
    soundfile.write(out / file.name, np.clip(filtered * gain, -1, 1), SAMPLE_RATE_HZ, subtype="PCM_16")


def _plain_gains(power: np.ndarray, settings: CleaningSettings) -> np.ndarray:
    """The gains of both kinds of filter, (frames, bins), with array operations a frame."""
    energies = (2 * power.sum(axis=1) - power[:, 0] - power[:, -1]) / 512
    sounding = energies > SILENT_FRAME_ENERGY
    quiet = sounding & (energies <= np.percentile(energies[sounding], settings.noise_percentile))
    noise = settings.noise_bias * power[quiet].mean(axis=0)
    floor = 10 ** (settings.gain_floor_db / 20)
    if settings.wiener == "percentile":
        return np.maximum(1 - noise / np.maximum(power, noise), floor)
    ratio, presence = 10**1.5, np.full(len(noise), 0.5)
    gains, past = np.empty_like(power), None
    for frame, observed in enumerate(power):
        if sounding[frame]:
            present = 1 / (1 + (1 + ratio) * np.exp(-observed / noise * ratio / (1 + ratio)))
            presence = 0.9 * presence + 0.1 * present
            present = np.where(presence > 0.99, np.minimum(present, 0.99), present)
            expected = present * noise + (1 - present) * observed
            noise = settings.noise_memory * noise + (1 - settings.noise_memory) * expected
        posterior = observed / noise
        evident = np.maximum(posterior - 1, 0)
        prior = settings.smoothing * (evident if past is None else past) + (1 - settings.smoothing) * evident
        gains[frame] = np.maximum(prior / (1 + prior), floor)
        past = gains[frame] ** 2 * posterior
    return gains


def main() -> int:
    """Measure, print and, where asked for, write JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cleaning", description=__doc__.splitlines()[0]
    )
    parser.add_argument("speech", type=Path, help="folder of clean recordings of single speakers")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    parser.add_argument(
        "--recordings", type=int, default=24, help="recordings made noisy (default: %(default)s)"
    )
    parser.add_argument("--files", type=int, default=250, help="recordings timed (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args()
    results = measure(options.speech, options.recordings, options.files, options.workers)
    if options.out:
        write_results(options.out, results)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(lambda _: main()))
