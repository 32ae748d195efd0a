"""The log of a run: one JSON object a line, for programs and for `status`.

    LOGS/<stage>-20261125T124446.120417Z-4711.jsonl

Every line has `time` (UTC, for people), `elapsed_seconds` (of a clock that never jumps) and `event`; docs/formats.md lists the
events. What could be a secret is struck out. Names sort in the order in which the runs were begun, also where the clock was set
back between them.
"""

import json
import os
import re
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from src.core.files import explained_output
from src.core.version import __version__

LOGS_FOLDER = "logs"
_SECRETS = re.compile(
    r"hf_[A-Za-z0-9]{8,}|(?<=://)[^/\s@]+@|(?<=token[=\s])\S+|(?<=password[=\s])\S+", re.IGNORECASE
)
_STRUCK_OUT = "***"
_MOMENT = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r".+-\d{8}T\d{6}\.\d{6}Z-\d+\.jsonl", re.ASCII)


class RunLog:
    """An open log; without a folder it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._started = time.monotonic()

    @property
    def elapsed_seconds(self) -> float:
        """Since the log was opened."""
        return time.monotonic() - self._started

    def write(self, event: str, **content: Any) -> None:
        """Append an event; one write call a line, so that lines stay whole."""
        if self.path is None:
            return
        line = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "elapsed_seconds": round(self.elapsed_seconds, 3),
            "event": event,
            **content,
        }
        text = without_secrets(json.dumps(line, default=str, ensure_ascii=False))
        with explained_output(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


@contextmanager
def run_log(folder: Path | None, stage: str, /, **content: Any) -> Iterator[RunLog]:
    """Open the log of a run of `stage` in `folder`; writes `start`, and `error` where an error ends it."""
    log = RunLog(None if folder is None else folder / _file_name(folder, stage))
    if folder is not None:
        with explained_output(folder / LOGS_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
    log.write(
        "start",
        stage=stage,
        version=__version__,
        command=shlex.join(sys.argv),
        host=socket.gethostname(),
        process=os.getpid(),
        **content,
    )
    try:
        yield log
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            _write_if_possible(log, error)
        raise


def without_secrets(text: str) -> str:
    """The text with hub tokens, passwords and the credentials of addresses struck out.

    >>> without_secrets("--token hf_abcdefghijkl https://me:word@host/x")
    '--token *** https://***host/x'
    """
    return _SECRETS.sub(_STRUCK_OUT, text)


def logs_in_order(folder: Path) -> list[Path]:
    """The logs of a folder, in the order in which their runs were begun."""
    logs = [path for path in folder.glob("*.jsonl") if _NAME.fullmatch(path.name)]
    return sorted(logs, key=_moment_and_process)


def stage_of(log: Path) -> str:
    """The stage as the name of its log tells it."""
    return log.name.rsplit("-", 2)[0]


def _file_name(folder: Path, stage: str) -> str:
    moment = datetime.now(timezone.utc).strftime(_MOMENT)
    former = logs_in_order(folder)
    if former and moment <= (latest := _moment_and_process(former[-1])[0]):  # the clock was set back
        moment = (datetime.strptime(latest, _MOMENT) + timedelta(microseconds=1)).strftime(_MOMENT)
    return f"{stage.replace(' ', '-')}-{moment}-{os.getpid()}.jsonl"


def _moment_and_process(log: Path) -> list[str]:
    return log.name.rsplit("-", 2)[1:]


def _write_if_possible(log: RunLog, error: BaseException) -> None:
    """A full disk takes no log either; what ended the run is told on standard error anyway."""
    try:
        log.write("error", kind=type(error).__name__, message=str(error))
    except Exception:
        return
