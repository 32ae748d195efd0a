"""Feeds damaged files to everything that reads: python -m benchmarks.fuzz --out benchmarks/results/fuzz.json

Every outcome must be a result or an error of src/core/errors.py, within the limits of a file; anything else is a
finding, whose file is kept. The same seed damages the same files in the same way.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fuzz_file_seeds import FileKind, file_kinds
from benchmarks.fuzz_media_seeds import image_seeds, sound_seeds, video_seeds
from benchmarks.fuzz_mutations import mutated
from benchmarks.results_file import write_results
from src.core.errors import MediaError, VoxfaceError
from src.core.progress import progress_bar
from src.core.seeding import random_stream
from src.media.decoder_server import CRASHED, OUT_OF_MEMORY, TIMEOUT
from src.media.guarded import decode_image, probe_video, read_audio, read_frames

SOUNDS, IMAGES, VIDEOS, OTHERS = 2000, 2000, 400, 2000
LONGEST_SECONDS = 60.0
READ = "read"
_FINDINGS_SHOWN = 20


@dataclass(kw_only=True)
class Outcomes:
    """What became of the files of one kind.

    counts: by reason or name of the error. findings: what must not happen, with the file's name.
    deaths: files that a decoder died of, which is a row's failure.
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    hangs: int = 0
    slowest_seconds: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "files": sum(self.counts.values()),
            "outcomes": dict(self.counts.most_common()),
            "crashes": len(self.findings) - self.hangs,
            "hangs": self.hangs,
            "decoders_that_died": len(self.deaths),
            "deaths": self.deaths[:_FINDINGS_SHOWN],
            "slowest_seconds": round(self.slowest_seconds, 2),
            "findings": self.findings[:_FINDINGS_SHOWN],
        }


def fuzz_media(
    seeds: Mapping[str, bytes], read: Callable[[Path], object], count: int, folder: Path, seed: int = 0
) -> Outcomes:
    """Damage media, `count` files in all, and read each as the stages do."""
    outcomes, contents = Outcomes(), list(seeds.values())
    for name, content in seeds.items():
        (folder / name).write_bytes(content)
        read(folder / name)  # what is whole is read
        (folder / name).unlink()
    for number in _counted(count, f"damaged {read.__name__}"):
        name, content = list(seeds.items())[number % len(seeds)]
        stream = random_stream("fuzz", seed, name, number)
        path = folder / f"{number:05d}_{name}"
        path.write_bytes(mutated(content, contents, stream))
        if _observe(outcomes, path, read):
            path.unlink()
    return outcomes


def fuzz_files(kinds: Sequence[FileKind], count: int, folder: Path, seed: int = 0) -> dict[str, Outcomes]:
    """Damage lists, tables, stores and weights, `count` files in all, and read each; outcomes by kind."""
    outcomes = {kind.name: Outcomes() for kind in kinds}
    contents = [kind.seed.read_bytes() for kind in kinds]
    for kind in kinds:
        kind.read(kind.seed)  # what is whole is read
    for number in _counted(count, "damaged files"):
        kind, content = kinds[number % len(kinds)], contents[number % len(kinds)]
        damaged = mutated(content, contents, random_stream("fuzz", seed, kind.name, number))
        kind.seed.write_bytes(damaged)
        if not _observe(outcomes[kind.name], kind.seed, kind.read):
            (folder / f"{number:05d}_{kind.seed.name}").write_bytes(damaged)
        kind.seed.write_bytes(content)
    return outcomes


def read_video(path: Path) -> None:
    """What the scan and the face stage ask of a video."""
    try:
        probe_video(path)
    except MediaError as error:
        if error.reason not in ("no_video", "unreadable_video", "too_large"):
            raise
    for seconds, frame in read_frames(path, [0.0, 0.3, 0.8, 5.0]):
        if isinstance(frame, MediaError) and seconds < 1:
            raise frame


def _observe(outcomes: Outcomes, path: Path, read: Callable[[Path], object]) -> bool:
    """Read one file; whether nothing happened for which it should be kept."""
    start = time.monotonic()
    before = len(outcomes.findings) + len(outcomes.deaths)
    try:
        with _time_limit(LONGEST_SECONDS):
            read(path)
        outcome = READ
    except MediaError as error:
        outcome = error.reason
        if outcome in (CRASHED, TIMEOUT, OUT_OF_MEMORY):
            outcomes.deaths.append(f"{path.name}: {str(error).removeprefix(f'{path}: ')}")
        if outcome == CRASHED and "the decoder died" not in str(error):
            outcomes.findings.append(str(error))  # an exception that no reader names
    except VoxfaceError as error:
        outcome = type(error).__name__
    except _HangError:
        outcome = "hang"
        outcomes.hangs += 1
        outcomes.findings.append(f"{path.name}: a hang")
    except Exception as error:
        outcome = f"{type(error).__name__} (not named)"
        place = traceback.extract_tb(error.__traceback__)[-1]
        ours = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if "site-packages" not in frame.filename
        ]
        outcomes.findings.append(
            f"{path.name}: {type(error).__name__}: {str(error)[:120]} "
            f"({Path(ours[-1].filename).name}:{ours[-1].lineno}, {Path(place.filename).name}:{place.lineno})"
        )
    outcomes.counts[outcome] += 1
    outcomes.slowest_seconds = max(outcomes.slowest_seconds, time.monotonic() - start)
    return len(outcomes.findings) + len(outcomes.deaths) == before


class _HangError(BaseException):
    """A reader took longer than it may."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def interrupt(*_arguments: object) -> None:
        raise _HangError

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _counted(count: int, description: str) -> Iterator[int]:
    with progress_bar(total=count, description=description, unit="file") as bar:
        for number in range(count):
            yield number
            bar.update()


def run(share: float, folder: Path, seed: int) -> dict[str, Outcomes]:
    """All kinds, a share of the full numbers of files."""
    seeds, found = folder / "seeds", folder / "found"
    seeds.mkdir()
    found.mkdir()

    def files(count: int) -> int:
        return max(1, round(share * count))

    return {
        "sound": fuzz_media(sound_seeds(seeds), read_audio, files(SOUNDS), found, seed),
        "images": fuzz_media(image_seeds(), decode_image, files(IMAGES), found, seed),
        "videos": fuzz_media(video_seeds(seeds), read_video, files(VIDEOS), found, seed),
        **fuzz_files(file_kinds(seeds), files(OTHERS), found, seed),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--share", type=float, default=1.0, help="of the full numbers of files (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="another damages other bytes (default: 0)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the files of findings are kept")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        outcomes = run(options.share, Path(name), options.seed)
        if options.keep:
            shutil.copytree(Path(name) / "found", options.keep, dirs_exist_ok=True)
    kinds = {kind: one.figures() for kind, one in outcomes.items()}
    totals = {
        name: sum(one[name] for one in kinds.values())
        for name in ("files", "crashes", "hangs", "decoders_that_died")
    }
    figures = {"seed": options.seed, **totals, "seconds": round(time.monotonic() - start), "kinds": kinds}
    for kind, one in kinds.items():
        print(
            f"{kind}: {one['files']} files, {one['crashes']} crashes, {one['hangs']} hangs, {one['outcomes']}"
        )
        for line in (*one["findings"], *one["deaths"]):
            print(f"  {line}")
    if options.out:
        write_results(options.out, figures)
    return 1 if totals["crashes"] or totals["hangs"] else 0


if __name__ == "__main__":
    sys.exit(main())
