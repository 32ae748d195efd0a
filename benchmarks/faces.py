"""The face front end measured: faces found, false boxes, the right person, speed, memory.

    python -m benchmarks.faces FACE_DATA [--world WORK TRUTH] [--only SECTION …] [--out FILE]

FACE_DATA holds the photographs of benchmarks/truth/shared_faces.csv. WORK and TRUTH are the work folder of a generated world
and its truth (`make demo`); without them the right person is not measured.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.face_boxes import measure_backgrounds, measure_recall, read_truth
from benchmarks.face_choices import measure_right_person
from benchmarks.face_memory import IMAGES, measure_memory
from benchmarks.face_pictures import draw_photographs, write_large_files
from benchmarks.face_speed import measure_large, measure_on_gpu, measure_small
from benchmarks.face_table import rows_of
from benchmarks.results_file import ROOT
from benchmarks.sections import measure_sections, report_sections
from preprocessing.face_cascade import MtcnnDetector
from preprocessing.face_settings import FaceSettings
from src.core.command_line import run_command

RESULTS = Path("benchmarks/results/faces.json")
_SPEED_IMAGES, _LARGE_FILES = 256, 42


@dataclass(frozen=True, kw_only=True)
class FaceBenchmark:
    """The measurements, each made when it is asked for.

    data: the photographs. world: work folder and truth folder of a generated world. memory_images: see `face_memory`.
    """

    data: Path
    world: tuple[Path, Path] | None
    memory_images: int = IMAGES
    settings: FaceSettings = field(default_factory=FaceSettings)

    @cached_property
    def detector(self) -> MtcnnDetector:
        """The detector of the default settings on the CPU."""
        return MtcnnDetector(self.settings, torch.device("cpu"))

    @cached_property
    def photographs(self) -> list[Path]:
        """The photographs of the truth."""
        return [self.data / str(name) for name in read_truth(self.data)["image"].unique()]

    @cached_property
    def small_photographs(self) -> list[np.ndarray]:
        """Photographs of 256 pixels, as the demo takes them."""
        return draw_photographs(_SPEED_IMAGES)

    def recall(self) -> dict[str, Any]:
        """Faces found."""
        return measure_recall(self.detector, self.data, self.settings.smallest_probability)

    def backgrounds(self) -> dict[str, Any]:
        """False boxes."""
        return measure_backgrounds(self.detector, self.settings.smallest_probability)

    def speed(self) -> dict[str, Any]:
        """Speed on small photographs."""
        return measure_small(self.small_photographs, self.settings)

    def large_files(self) -> dict[str, Any]:
        """Speed on large files."""
        with tempfile.TemporaryDirectory() as folder:
            chosen = [self.photographs[number % len(self.photographs)] for number in range(_LARGE_FILES)]
            return measure_large(write_large_files(chosen, Path(folder)), self.settings)

    def gpu(self) -> dict[str, Any]:
        """Speed on a GPU."""
        return measure_on_gpu(self.small_photographs, self.settings)

    def right_person(self) -> dict[str, Any]:
        """The person that a photograph is about."""
        if self.world is None:
            return {"unavailable": "no generated world was named"}
        return measure_right_person(*self.world)

    def memory(self) -> dict[str, Any]:
        """Memory over many images."""
        return measure_memory(self.photographs, self.memory_images, self.settings)


SECTIONS: dict[str, Callable[[FaceBenchmark], dict[str, Any]]] = {
    "recall": FaceBenchmark.recall,
    "backgrounds": FaceBenchmark.backgrounds,
    "speed": FaceBenchmark.speed,
    "large_files": FaceBenchmark.large_files,
    "gpu": FaceBenchmark.gpu,
    "right_person": FaceBenchmark.right_person,
    "memory": FaceBenchmark.memory,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON."""
    options = _parser().parse_args(arguments)
    read_truth(options.data)  # says what is absent before anything is measured
    wanted = [name for name in SECTIONS if name in (options.only or SECTIONS)]
    benchmark = FaceBenchmark(
        data=options.data,
        world=tuple(options.world) if options.world else None,
        memory_images=options.memory_images,
    )
    figures = measure_sections(SECTIONS, wanted, benchmark)
    # part of a run never takes the place of the committed results
    out = options.out or (ROOT / RESULTS if len(wanted) == len(SECTIONS) else None)
    report_sections(rows_of(figures), figures, out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faces", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "data", type=Path, metavar="FACE_DATA", help="folder of the photographs of the truth file"
    )
    parser.add_argument(
        "--world",
        type=Path,
        nargs=2,
        metavar=("WORK", "TRUTH"),
        help="a preprocessed generated world, for the right person",
    )
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument(
        "--memory-images",
        type=int,
        default=IMAGES,
        help="images of the memory measurement (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"JSON file (default for a whole run: {RESULTS})"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
