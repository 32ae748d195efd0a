"""What `torchrun` tells the processes that it starts, through their environment."""

import os

from src.core.errors import ConfigError


def launched_processes() -> int:
    """How many processes were started together; 1 without `torchrun`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Which of the processes on this machine this is, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_first_launched() -> bool:
    """Whether this is the first of all processes that were started together."""
    return os.environ.get("RANK", "0") == "0"


def require_single_process(what: str) -> None:
    """Raise ConfigError where several processes were started together for something that one does."""
    if launched_processes() > 1:
        raise ConfigError(f"{what} takes one process; start it with python, not with torchrun")
