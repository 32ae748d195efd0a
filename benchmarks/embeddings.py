"""The features stage measured: speed of both published networks, precision, resuming, and what bounds them.

    python -m benchmarks.embeddings [SPEECH_DATA] [--only SECTION …] [--out FILE]

SPEECH_DATA holds LibriSpeech's utterances in librispeech/test; without them the voices are noise of mixed lengths.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.embeddings_bounds import decoding_rates, matrix_rates, operations
from benchmarks.embeddings_networks import draw_crops, draw_recordings, speech_files
from benchmarks.embeddings_precision import measure_precision
from benchmarks.embeddings_resume import measure_resuming
from benchmarks.embeddings_speed import measure_on_gpu, measure_on_processor
from benchmarks.embeddings_table import rows_of
from benchmarks.results_file import ROOT
from benchmarks.sections import measure_sections, report_sections
from src.core.command_line import run_command
from src.media.audio import SAMPLE_RATE_HZ, read_audio

LOGGER = logging.getLogger(__name__)
RESULTS = Path("benchmarks/results/embeddings.json")
_CROPS, _GPU_CROPS, _GPU_REPEATS = 256, 8192, 20


@dataclass(frozen=True)
class EmbeddingBenchmark:
    """The measurements, each made when it is asked for. data: folder of real speech."""

    data: Path

    @cached_property
    def files(self) -> list[Path]:
        """Real utterances; none where there are none."""
        return speech_files(self.data)

    @cached_property
    def recordings(self) -> list[np.ndarray]:
        """Utterances of mixed lengths."""
        return [read_audio(path) for path in self.files] or draw_recordings()

    @property
    def _speech(self) -> str:
        return (
            f"{len(self.recordings)} {'utterances of LibriSpeech' if self.files else 'recordings of noise'}"
        )

    def bounds(self) -> dict[str, Any]:
        """What bounds the speeds."""
        rates = {"processor": matrix_rates(torch.device("cpu"))}
        if torch.cuda.is_available():
            rates["gpu"] = matrix_rates(torch.device("cuda"))
        decoding = decoding_rates(self.files, draw_crops(_CROPS))
        return {**rates, "operations": operations(), "decoding": decoding}

    def voice(self) -> dict[str, Any]:
        """Voices on the processor."""
        found = measure_on_processor("voice", self.recordings, _seconds(self.recordings))
        return {"on": self._speech, **found}

    def face(self) -> dict[str, Any]:
        """Faces on the processor."""
        return {"on": f"{_CROPS} crops", **measure_on_processor("face", draw_crops(_CROPS), _CROPS)}

    def voice_gpu(self) -> dict[str, Any]:
        """Voices on a GPU."""
        recordings = self.recordings * _GPU_REPEATS
        return {"on": self._speech, **measure_on_gpu("voice", recordings, _seconds(recordings))}

    def face_gpu(self) -> dict[str, Any]:
        """Faces on a GPU."""
        return {"on": f"{_GPU_CROPS} crops", **measure_on_gpu("face", draw_crops(_GPU_CROPS), _GPU_CROPS)}

    def precision(self) -> dict[str, Any]:
        """What bfloat16 does to trained weights."""
        return measure_precision(self.data)

    def resuming(self) -> dict[str, Any]:
        """A store that lost parts."""
        return measure_resuming(self.recordings)


SECTIONS: dict[str, Callable[[EmbeddingBenchmark], dict[str, Any]]] = {
    "bounds": EmbeddingBenchmark.bounds,
    "voice": EmbeddingBenchmark.voice,
    "face": EmbeddingBenchmark.face,
    "voice_gpu": EmbeddingBenchmark.voice_gpu,
    "face_gpu": EmbeddingBenchmark.face_gpu,
    "precision": EmbeddingBenchmark.precision,
    "resuming": EmbeddingBenchmark.resuming,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON."""
    options = _parser().parse_args(arguments)
    # The table sets every speed beside its bound, measured in the same run.
    wanted = [name for name in SECTIONS if name in {"bounds", *(options.only or SECTIONS)}]
    benchmark = EmbeddingBenchmark(options.data)
    if not benchmark.files:
        LOGGER.warning("no speech in %s: voices are noise of mixed lengths", options.data)
    figures = measure_sections(SECTIONS, wanted, benchmark)
    # Part of a run never takes the place of the committed results.
    out = options.out or (ROOT / RESULTS if len(wanted) == len(SECTIONS) else None)
    report_sections(rows_of(figures), figures, out)
    return 0


def _seconds(recordings: Sequence[np.ndarray]) -> float:
    return sum(len(samples) for samples in recordings) / SAMPLE_RATE_HZ


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.embeddings", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        default=Path("data"),
        metavar="SPEECH_DATA",
        help="folder with librispeech/test (default: %(default)s)",
    )
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"JSON file (default for a whole run: {RESULTS})"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
