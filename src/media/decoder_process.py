"""Processes that decode, seen from where their results are used; `decoder_server` is what runs in them.

A process is started when the first file is decoded and serves file after file. One that crashes, hangs or takes too much
memory is the failure of the one file that it had in hand; the next file gets a new process.
"""

import atexit
import json
import mmap
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.core.errors import MediaError
from src.core.small_program import small_program
from src.media.decoder_server import (
    BUFFER_BYTES,
    CRASHED,
    MESSAGE_BYTES,
    NEXT,
    OUT_OF_MEMORY,
    READY,
    STOP,
    TIMEOUT,
)

_PROGRAM = "from src.media.decoder_server import main; main()"
_SECRET_MARKS = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "API_KEY", "ACCESS_KEY")
_DYING_SECONDS = 10
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class DecoderLimits:
    """What one file may take.

    processor_seconds: of computing between two signs of life: two minutes of sound, an image, a frame. On a busy
        machine nothing is cut off that would not be on an idle one.
    waiting_seconds: without a sign of life, for storage that does not answer.
    memory_bytes: of addresses, beside the libraries.
    """

    processor_seconds: int = 60
    waiting_seconds: float = 600
    memory_bytes: int = 4 << 30


LIMITS = DecoderLimits()


class DecoderDiedError(Exception):
    """The process ended while it decoded, through no limit of its own."""


@dataclass(frozen=True)
class Reply:
    """said: by the decoder. content: uint8 (bytes,), which the next reply overwrites."""

    said: dict[str, Any]
    content: np.ndarray


class DecoderProcess:
    """One decoding process, its socket and the memory shared with it."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptor = os.memfd_create("decoded")
        try:
            os.ftruncate(descriptor, BUFFER_BYTES)
            self._buffer = np.frombuffer(mmap.mmap(descriptor, BUFFER_BYTES), np.uint8)
            self._process = subprocess.Popen(
                small_program(
                    _PROGRAM, theirs.fileno(), descriptor, limits.processor_seconds, limits.memory_bytes
                ),
                env=_environment(),
                pass_fds=(theirs.fileno(), descriptor),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        finally:
            theirs.close()
            os.close(descriptor)
        self._connection.settimeout(limits.waiting_seconds)
        if self._received() != READY:
            self.end()
            raise RuntimeError("the process that decodes media does not start; its message is above")

    def replies(
        self, call: str, path: Path, content: bytes = b"", **arguments: Any
    ) -> Generator[Reply, None, None]:
        """The replies to one request, each decoded when it is asked for.

        content: bytes that go with the request.
        Raises MediaError for a file that cannot be decoded, or not within the limits; DecoderDiedError.
        """
        self._buffer[: len(content)] = np.frombuffer(content, np.uint8)
        request = {"call": call, "path": str(path.absolute()), "bytes": len(content), **arguments}
        message = json.dumps(request).encode()
        finished = False
        try:
            while not finished:
                said = self._exchange(message, path)
                finished = bool(said.get("end"))
                if finished and "reason" in said:
                    raise MediaError(said["reason"], said["explanation"])
                yield Reply(said, self._buffer[: said["bytes"]])
                message = NEXT
        finally:
            if not finished and self.is_alive:
                self._connection.send(STOP)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked again."""
        return self._connection.fileno() >= 0

    def end(self) -> None:
        """End the process now."""
        self._connection.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # what waits for storage cannot be killed
            self._process.wait(_DYING_SECONDS)

    def _exchange(self, message: bytes, path: Path) -> dict[str, Any]:
        try:
            self._connection.send(message)
            answer = self._received()
        except TimeoutError as error:
            self.end()
            raise MediaError(
                TIMEOUT,
                f"{path}: no sign of life from the decoder for {self._limits.waiting_seconds:.0f} s; does its storage answer?",
            ) from error
        except OSError:
            answer = b""
        if not answer:
            raise self._obituary(path)
        said: dict[str, Any] = json.loads(answer)
        if said.get("reason") in (OUT_OF_MEMORY, CRASHED):
            self.end()
        return said

    def _received(self) -> bytes:
        try:
            return self._connection.recv(MESSAGE_BYTES)
        except ConnectionError:
            return b""

    def _obituary(self, path: Path) -> Exception:
        status = self._process.wait()
        self.end()
        if status == -signal.SIGXCPU:
            return MediaError(
                TIMEOUT, f"{path}: decoding was ended after {self._limits.processor_seconds} s of computing"
            )
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return DecoderDiedError(f"{path}: the decoder died of it ({name})")


class _IdleProcesses:
    """Decoders of this process that wait for work; as many come to be as threads decode at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner, self._idle = os.getpid(), list[DecoderProcess]()

    def take(self) -> DecoderProcess:
        with self._lock:
            if self._owner != os.getpid():  # forked: those belong to the parent
                self._owner, self._idle = os.getpid(), []
            if self._idle:
                return self._idle.pop()
        return DecoderProcess(LIMITS)

    def give_back(self, process: DecoderProcess) -> None:
        if process.is_alive:
            with self._lock:
                self._idle.append(process)

    def end_all(self) -> None:
        with self._lock:
            if self._owner == os.getpid():
                for process in self._idle:
                    process.end()
            self._idle = []


_processes = _IdleProcesses()
atexit.register(_processes.end_all)


def replies_of_decoder(
    call: str, path: Path, content: bytes = b"", **arguments: Any
) -> Generator[Reply, None, None]:
    """`DecoderProcess.replies` of any process that is free."""
    process = _processes.take()
    try:
        with closing(process.replies(call, path, content, **arguments)) as replies:
            yield from replies
    finally:
        _processes.give_back(process)


def _environment() -> dict[str, str]:
    """This process's, without what strangers' files should not be near."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not any(mark in name.upper() for mark in _SECRET_MARKS)
    }
    return {**kept, **dict.fromkeys(_ONE_THREAD, "1")}
