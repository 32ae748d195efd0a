"""Conversations mixed from recordings of single people, with their truth, as a data set for `python -m preprocessing`.

    python -m benchmarks.conversations SPEECH OUT [--noise DIR] [--unseen-by CHECKPOINT | --speakers NAME …]

OUT/dataset/voices/<main speaker>/<video>/00000.wav, OUT/truth/rttm/ with the turns, OUT/truth/media_identities.csv with
the main speaker of each file. Two or three people, the main one with 50 to 75 % of the talk; coloured or recorded
noise at 10 to 20 dB; no added reverberation. Most videos have one file; some have several of one main speaker.
"""

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.single_voices import Talk, Voice, read_voices
from src.artifacts.turns import SpeakerTurn, write_turns
from src.core.command_line import run_command
from src.core.errors import CheckpointError, DatasetError
from src.core.files import read_json, write_text
from src.core.progress import progress_bar
from src.core.seeding import random_stream
from src.media.audio import read_audio, write_audio
from src.simulation.conversation import Conversation, ConversationStyle, hold_conversation, speech_share
from src.simulation.noise import add_noise, coloured_noise

COLOURS = ("white", "pink", "brown")
MAIN_SHARE, SIGNAL_TO_NOISE_DB, PEAK = (0.5, 0.75), (10.0, 20.0), (0.3, 0.95)
_STYLE = ConversationStyle(main_share=(0.53, 0.72), accepted_share=(0.0, 1.0))  # the share is checked here
_ATTEMPTS = 40


@dataclass(frozen=True, kw_only=True)
class ConversationCounts:
    """How much to make.

    short, short_seconds: conversations alone in their video, and their length.
    long, long_seconds: the same, of several minutes.
    videos, files_in_video, file_seconds: videos of several files with one main speaker.
    """

    short: int = 60
    short_seconds: float = 30.0
    long: int = 3
    long_seconds: float = 240.0
    videos: int = 6
    files_in_video: int = 3
    file_seconds: float = 20.0

    def lengths(self) -> Iterator[tuple[str, list[float]]]:
        """Name of each video, and the lengths of its files in seconds."""
        for number in range(self.short):
            yield f"short{number:03d}", [self.short_seconds]
        for number in range(self.long):
            yield f"long{number:03d}", [self.long_seconds]
        for number in range(self.videos):
            yield f"video{number:03d}", [self.file_seconds] * self.files_in_video


@dataclass(frozen=True, kw_only=True)
class ConversationMaker:
    """Mixes conversations of people.

    voices: by name. noises: recorded ones, (samples,) each; coloured noise is always among the kinds.
    """

    voices: dict[str, Voice]
    seed: int
    noises: Sequence[np.ndarray] = field(default=())

    def write(self, out: Path, counts: ConversationCounts) -> int:
        """Write all conversations with their truth; the number of files. Raises DatasetError when OUT is not empty."""
        if out.exists() and any(out.iterdir()):
            raise DatasetError(f"{out}: is not empty; name a new folder, or remove it")
        videos, owners = list(counts.lengths()), {}
        names = sorted(self.voices)
        for index, (video, lengths) in enumerate(_with_progress(videos)):
            main = names[index % len(names)]
            for number, seconds in enumerate(lengths):
                key = f"voices/{main}/{video}/{number:05d}.wav"
                samples, turns = self.mix(main, key, seconds)
                write_audio(out / "dataset" / key, samples)
                write_turns((out / "truth/rttm" / key).with_suffix(".rttm"), key, turns)
                owners[key] = main
        write_text(out / "truth/media_identities.csv", _owner_table(owners))
        return len(owners)

    def mix(self, main: str, key: str, seconds: float) -> tuple[np.ndarray, list[SpeakerTurn]]:
        """One conversation: samples (samples,) at 16 kHz, and its true turns."""
        stream = random_stream("conversations", self.seed, key)
        others = sorted(set(self.voices) - {main})
        chosen = [str(name) for name in stream.choice(others, int(stream.integers(1, 3)), replace=False)]
        conversation = self._hold(main, chosen, seconds, stream)
        speech = np.asarray(np.sum(list(conversation.stems.values()), axis=0, dtype=np.float32))
        spoken = conversation.stems[main][conversation.stems[main] != 0]
        power = float(np.mean(np.square(spoken, dtype=np.float64)))
        noisy = add_noise(
            speech, self._noise(len(speech), stream), power, stream.uniform(*SIGNAL_TO_NOISE_DB)
        )
        peak = stream.uniform(*PEAK) / float(np.abs(noisy).max())
        return np.asarray(noisy * np.float32(peak)), conversation.turns

    def _hold(
        self, main: str, others: Sequence[str], seconds: float, stream: np.random.Generator
    ) -> Conversation:
        for _ in range(_ATTEMPTS):
            conversation = hold_conversation(main, others, Talk(self.voices, stream), seconds, stream, _STYLE)
            talking = {turn.speaker for turn in conversation.turns}
            share = speech_share(conversation.turns, main)
            if talking == {main, *others} and MAIN_SHARE[0] < share <= MAIN_SHARE[1]:
                return conversation
        raise DatasetError(
            f"no conversation of {seconds} s gives {main} {MAIN_SHARE[0]:.0%} to {MAIN_SHARE[1]:.0%} of the talk; make it longer"
        )

    def _noise(self, length: int, stream: np.random.Generator) -> np.ndarray:
        """Noise of RMS 1 of a random kind: (length,)."""
        kind = int(stream.integers(len(COLOURS) + len(self.noises)))
        if kind < len(COLOURS):
            return coloured_noise(COLOURS[kind], length, stream)
        recorded = self.noises[kind - len(COLOURS)]
        start = int(stream.integers(len(recorded)))
        noise = np.tile(np.roll(recorded, -start), -(-length // len(recorded)))[:length]
        return np.asarray(noise / np.sqrt(np.mean(np.square(noise, dtype=np.float64)) + 1e-12), np.float32)


def _with_progress(videos: list[tuple[str, list[float]]]) -> Iterator[tuple[str, list[float]]]:
    """The videos, with a progress bar."""
    with progress_bar(total=len(videos), description="mixing conversations", unit="video") as bar:
        for video in videos:
            yield video
            bar.update()


def _owner_table(owners: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["key", "modality", "identity", "language", "split"])
    writer.writerows([key, "voice", owner, "", "train"] for key, owner in owners.items())
    return text.getvalue()


def read_noises(folder: Path | None) -> list[np.ndarray]:
    """All recordings of a folder of background noise, none where there is no folder."""
    paths = sorted(folder.glob("*.wav")) if folder is not None and folder.is_dir() else []
    return [read_audio(path) for path in paths]


def unseen_speakers(checkpoint: Path, folder: Path) -> list[str]:
    """Validation identities of an encoder's checkpoint whose speech `folder` holds.

    Raises CheckpointError when the checkpoint names none, or none of the folder.
    """
    try:
        validation = read_json(checkpoint / "config.json")["identities"]["validation"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{checkpoint}: its config.json does not name validation identities") from error
    there = {path.relative_to(folder).parts[0].partition("-")[0] for path in folder.rglob("*.*")}
    if not there & set(validation):
        raise CheckpointError(f"{checkpoint}: was validated on nobody whose speech is in {folder}")
    return sorted(there & set(validation))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a set of conversations."""
    description = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversations", description=description)
    parser.add_argument("speech", type=Path, metavar="SPEECH", help="folder of single-speaker recordings")
    parser.add_argument("out", type=Path, metavar="OUT", help="new folder")
    parser.add_argument("--noise", type=Path, metavar="DIR", help="folder of background noise (*.wav)")
    people = parser.add_mutually_exclusive_group()
    people.add_argument("--speakers", nargs="+", default=[], metavar="NAME", help="only these people")
    people.add_argument(
        "--unseen-by", type=Path, metavar="CHECKPOINT", help="only people whom this encoder was validated on"
    )
    parser.add_argument("--seed", type=int, default=0)
    for name, kind in (("short", int), ("long", int), ("videos", int), ("short-seconds", float)):
        default = getattr(ConversationCounts, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=kind, default=default, help="default: %(default)s")
    options = parser.parse_args(arguments)
    names = unseen_speakers(options.unseen_by, options.speech) if options.unseen_by else options.speakers
    maker = ConversationMaker(
        voices=read_voices(options.speech, names), seed=options.seed, noises=read_noises(options.noise)
    )
    counts = ConversationCounts(
        short=options.short, long=options.long, videos=options.videos, short_seconds=options.short_seconds
    )
    print(f"{maker.write(options.out, counts)} conversations in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
