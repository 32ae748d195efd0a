"""Worker processes that end with the process that started them, also when that one is killed."""

import multiprocessing
import os
import signal
import threading


def end_with_parent() -> None:
    """Call in a worker: Ctrl-C is left to the parent, and the parent's death, whatever its cause, ends the worker.

    The parent is whoever asked for the worker, not the server that forked it: its end closes a pipe that is watched.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
