"""Choosing where tensors live."""

import torch

from src.core.errors import ConfigError


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes the GPU where there is one, else the CPU; any other name is taken as PyTorch's own.

    Raises ConfigError when a GPU is asked for and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"--device {name}: not a device. Use auto, cpu or cuda.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"--device {name}: PyTorch sees no GPU here. Use --device cpu, or auto.")
    return device
