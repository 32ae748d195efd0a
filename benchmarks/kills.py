"""Kill a command with SIGKILL at random moments, start it again, until it ends; nothing may linger, nothing may differ."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.results_file import ROOT
from src.core.output_lock import LOCK_FILE
from src.core.run_log import LOGS_FOLDER

_MARK = "VOXFACE_FAULT_RUN"
_LINGERING_SECONDS = 20
_LONGEST_SECONDS = 900
_LOOK_SECONDS = 0.02


@dataclass
class KillCount:
    """What became of a command that was killed again and again.

    kills: only those that hit it while it ran. kills_with_output: those of them that found files of it. differences: files that
    are not as after an undisturbed run. lingering: kills after which a process was left.
    """

    kills: int = 0
    kills_with_output: int = 0
    runs_that_ended: int = 0
    lingering: int = 0
    differences: list[str] = field(default_factory=list)


def command(*words: object) -> list[str]:
    """A command line of this Python."""
    return [sys.executable, *map(str, words)]


def run_undisturbed(words: Sequence[str]) -> float:
    """Seconds that the command takes. Raises RuntimeError with its words when it fails."""
    return run_watched(words, lambda: True)[1]


def run_watched(words: Sequence[str], has_output: Callable[[], bool]) -> tuple[float, float]:
    """Seconds until the command has made a file, and until it ends. Raises RuntimeError with its words when it fails."""
    started = time.monotonic()
    first: float | None = None
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            if first is None and has_output():
                first = time.monotonic() - started
            if time.monotonic() - started > _LONGEST_SECONDS:
                process.kill()
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - started
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{words}: status {process.returncode}\n{said.read()}")
    return seconds if first is None else first, seconds


def kill_until(
    words: Sequence[str],
    kills: int,
    longest_seconds: float,
    chance: random.Random,
    check: Callable[[], list[str]],
    begin_anew: Callable[[], None],
    shortest_seconds: float,
    has_output: Callable[[], bool],
) -> KillCount:
    """Kill the command `kills` times, between two times after its start; each time that it ends, check and begin anew.

    check: names of files that differ from those of an undisturbed run. begin_anew: removes what the command made. has_output:
    whether the command has made a file. Where a run from the beginning ends unkilled, its length counts from then on: other
    jobs may come and go.
    """
    count, pace, is_new = KillCount(), 1.0, True
    begin_anew()
    while count.kills < kills:
        started = time.monotonic()
        killed, lingers = _killed(
            words, pace * chance.uniform(shortest_seconds, longest_seconds), count.kills
        )
        if killed:
            is_new = False
            count.kills += 1
            count.lingering += lingers
            count.kills_with_output += has_output()
            continue
        if is_new:
            pace = (time.monotonic() - started) / longest_seconds
        is_new = True
        count.runs_that_ended += 1
        count.differences += check()
        begin_anew()
    run_undisturbed(words)
    count.runs_that_ended += 1
    count.differences += check()
    return count


def files_of(folder: Path, ignored: Sequence[str] = ()) -> Mapping[str, bytes]:
    """Content of every file below a folder, but logs and what is named in `ignored`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != LOGS_FOLDER and path.name not in {LOCK_FILE, *ignored}
    }


def differing(found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> list[str]:
    """Names of files that are missing, too many or of other content."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def _killed(words: Sequence[str], seconds: float, number: int) -> tuple[bool, bool]:
    """Start, wait, kill: whether it was killed before it ended, and whether any process of it lingers afterwards."""
    mark = f"{os.getpid()}-{number}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env={**os.environ, _MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:  # else it had ended just before
            return True, not _all_gone(mark)
    finally:
        assert process.stderr is not None, "it is a pipe"
        process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{words}: ended by itself with status {process.returncode}")
    return False, False


def _all_gone(mark: str) -> bool:
    deadline = time.monotonic() + _LINGERING_SECONDS
    while time.monotonic() < deadline:
        if not _processes_with(mark):
            return True
        time.sleep(0.05)
    return False


def _processes_with(mark: str) -> list[Path]:
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile
            if wanted in path.read_bytes():
                found.append(path)
    return found
