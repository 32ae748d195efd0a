"""Ctrl-C and SIGTERM as a request: the work in hand is finished, nothing new is begun."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOGGER = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.requested = False


class Stopped(KeyboardInterrupt):
    """Work ended early because somebody asked; all that was begun is finished. Says how far it came."""


@contextmanager
def stop_on_signals(in_hand: str) -> Iterator[StopRequest]:
    """Within: a first signal sets `requested`, a second raises KeyboardInterrupt at once.

    in_hand: what is finished after a first signal, for the message. Signals reach the main thread alone; in another,
    nothing changes.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True
        LOGGER.warning(
            "%s: finishing %s, then stopping (once more drops it; nothing that is finished is lost)",
            signal.Signals(number).name,
            in_hand,
        )

    former = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
