"""The speech front end measured: speakers told apart, keynote speech kept, noise removed, speed, memory.

    python -m benchmarks.speech SPEECH_DATA [--only SECTION …] [--plots DIR] [--out FILE]

SPEECH_DATA holds librispeech/test (a folder a speaker), ami (recordings and reference.rttm) and noise (*.wav). With
--tuning the speakers are those of librispeech/train whom the embedded encoder was validated on: settings are
chosen on these, and the table is measured on the others.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from benchmarks.cleaning_variants import CLEANING_VARIANTS
from benchmarks.conversations import ConversationCounts, ConversationMaker, read_noises, unseen_speakers
from benchmarks.results_file import ROOT
from benchmarks.sections import measure_sections, report_sections
from benchmarks.single_voices import read_voices
from benchmarks.speaker_verification import cleaning_error_rates, encoder_error
from benchmarks.speech_diarizers import (
    DIARIZERS,
    VOICE_ENCODER,
    measure_diarizer,
    prepare_meetings,
    why_not_available,
)
from benchmarks.speech_speed import measure_memory, measure_speed
from benchmarks.speech_table import rows_of
from preprocessing.conversation_plot import plot_conversation
from src.artifacts.sources import output_path
from src.artifacts.turns import read_turns
from src.core.command_line import run_command
from src.core.errors import DatasetError
from src.core.stage import read_parts
from src.encoders.embedded_weights import EMBEDDED_FOLDER
from src.encoders.registry import load_encoder
from src.media.audio import read_audio

RESULTS = Path("benchmarks/results/speech.json")
_ADVICE = """SPEECH_DATA must hold
  librispeech/test    speakers whom nothing was trained on, as ROOT/<speaker>/…/*.flac: the archives dev-clean or
                      test-other of https://www.openslr.org/12, unpacked there (six speakers are enough)
  librispeech/train   for --tuning alone: train-clean-100 of the same page
  ami                 meeting excerpts with reference.rttm beside them: https://groups.inf.ed.ac.uk/ami/corpus/
  noise               recordings of background noise, *.wav (without them the noise is coloured noise alone)
Name its folder: make bench-speech SPEECH_DATA=FOLDER"""


@dataclass(frozen=True, kw_only=True)
class SpeechBenchmark:
    """The measurements, each made when it is asked for.

    data: see above. scratch: folder for what is made on the way. tuning: with the speakers to tune on.
    """

    data: Path
    scratch: Path
    tuning: bool = False
    seed: int = 0

    @property
    def speech(self) -> Path:
        """The single-speaker recordings that are used."""
        return self.data / "librispeech" / ("train" if self.tuning else "test")

    @property
    def speakers(self) -> list[str]:
        """Whose speech is used; none named where it is everybody's."""
        return unseen_speakers(EMBEDDED_FOLDER / VOICE_ENCODER, self.speech) if self.tuning else []

    @cached_property
    def conversations(self) -> Path:
        """Folder of mixed conversations with their truth."""
        voices = read_voices(self.speech, self.speakers)
        maker = ConversationMaker(voices=voices, seed=self.seed, noises=read_noises(self.data / "noise"))
        maker.write(self.scratch / "conversations", ConversationCounts())
        return self.scratch / "conversations"

    @cached_property
    def recordings(self) -> list[Path]:
        """The sound files of the conversations."""
        return sorted((self.conversations / "dataset").rglob("*.wav"))

    def encoder(self) -> dict[str, Any]:
        """Speaker equal error rate of the embedded encoder."""
        return encoder_error(load_encoder(VOICE_ENCODER), self.speech, self.speakers)

    def diarizers_on_conversations(self) -> dict[str, Any]:
        """Every diarizer on the conversations."""
        return self._diarizers(self.conversations)

    def diarizers_on_meetings(self) -> dict[str, Any]:
        """Every diarizer on the meeting excerpts."""
        folder = self.scratch / "meetings"
        prepare_meetings(self.data / "ami", folder)
        return self._diarizers(folder)

    def plot(self, folder: Path) -> None:
        """Draw a short conversation with its true turns and those of each diarizer that ran on it."""
        recording = min(self.recordings, key=lambda path: path.stat().st_size)
        key = recording.relative_to(self.conversations / "dataset").as_posix()
        works = {name: self._work(self.conversations, name) for name in DIARIZERS}
        there = {name: work for name, work in works.items() if work.is_dir()}
        segments = read_parts(next(iter(there.values())) / "voice/segments").to_pylist()
        plot_conversation(
            folder / f"{PurePosixPath(key).parent.name}.png",
            key,
            read_audio(recording),
            {
                "truth": read_turns((self.conversations / "truth/rttm" / key).with_suffix(".rttm")),
                **{
                    name: read_turns(work / output_path("voice/turns", key, ".rttm"))
                    for name, work in there.items()
                },
            },
            [(row["start_seconds"], row["end_seconds"]) for row in segments if row["key"] == key],
        )

    def _diarizers(self, folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in DIARIZERS:
            if reason := why_not_available(name):
                found[name] = {"unavailable": reason}
            else:
                work = self._work(folder, name)
                found[name] = measure_diarizer(name, folder / "dataset", folder / "truth", work)
        return found

    @staticmethod
    def _work(folder: Path, diarizer: str) -> Path:
        """Work folder of a diarizer on the recordings of a folder."""
        return folder.with_name(f"{folder.name}-{diarizer}")

    def cleaning(self) -> dict[str, Any]:
        """What the Wiener filter does to noisy and to clean speech, and how fast."""
        from benchmarks.cleaning import measure

        return measure(self.speech)

    def cleaning_choice(self) -> dict[str, Any]:
        """What each way of cleaning does to the speaker equal error rate."""
        work = self._work(self.conversations, "embedded")
        dataset, truth = self.conversations / "dataset", self.conversations / "truth"
        measure_diarizer("embedded", dataset, truth, work)  # what is already there stays as it is
        encoder = load_encoder(VOICE_ENCODER)
        return cleaning_error_rates(encoder, self.speech, dataset, work, truth, CLEANING_VARIANTS)

    def speed(self) -> dict[str, Any]:
        """Speed of the diarizer `embedded`."""
        return measure_speed(self.recordings)

    def memory(self) -> dict[str, Any]:
        """Memory of a file of two hours."""
        return measure_memory(self.recordings)


SECTIONS: dict[str, Callable[[SpeechBenchmark], dict[str, Any]]] = {
    "encoder": SpeechBenchmark.encoder,
    "speed": SpeechBenchmark.speed,
    "conversations": SpeechBenchmark.diarizers_on_conversations,
    "meetings": SpeechBenchmark.diarizers_on_meetings,
    "cleaning": SpeechBenchmark.cleaning,
    "cleaning_choice": SpeechBenchmark.cleaning_choice,
    "memory": SpeechBenchmark.memory,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON."""
    options = _parser().parse_args(arguments)
    asked = options.only or list(SECTIONS)
    wanted = [name for name in SECTIONS if name in asked or (options.plots and name == "conversations")]
    if not (options.data / "librispeech" / ("train" if options.tuning else "test")).is_dir():
        raise DatasetError(f"{options.data}: no speech to measure on. {_ADVICE}")
    with tempfile.TemporaryDirectory() as folder:
        benchmark = SpeechBenchmark(data=options.data, scratch=Path(folder), tuning=options.tuning)
        figures = measure_sections(SECTIONS, wanted, benchmark)
        if options.plots:
            benchmark.plot(options.plots)
    # part of a run never takes the place of the committed results
    out = options.out or (ROOT / RESULTS if len(wanted) == len(SECTIONS) and not options.tuning else None)
    report_sections(rows_of(figures), figures, out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech",
        description=(__doc__ or "").split("\n")[0],
        epilog=_ADVICE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="SPEECH_DATA")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument("--tuning", action="store_true", help="measure on the speakers to tune on")
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw one conversation with the turns of each diarizer"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"JSON file (default for a whole run: {RESULTS})"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
