"""Random streams named by what they are for, so that adding one draw moves no other stream."""

import hashlib
import random

import numpy as np


def stream_seed(*names: str | int) -> int:
    """A 63-bit seed from a path of names, the same on every machine and Python version."""
    digest = hashlib.sha256("\x1f".join(str(name) for name in names).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def random_stream(*names: str | int) -> np.random.Generator:
    """A NumPy generator of its own for a path of names, such as `("world", 7, "faces", 12)`."""
    return np.random.default_rng(stream_seed(*names))


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators."""
    import torch  # named streams need none of it, and it takes seconds

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries still draw from the global generator
    torch.manual_seed(seed)
