"""State dicts from files, and into networks; nothing that a file holds is ever run."""

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from src.core.errors import WeightsError
from src.encoders.numpy_pickle import read_numpy_pickle

SHOWN_NAMES = 8
SAFETENSORS_SUFFIX = ".safetensors"
_OPTIONAL_SUFFIX = (
    "num_batches_tracked"  # counters that older PyTorch did not write and inference never reads
)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict: a pickle of NumPy arrays (.pkl), safetensors, else a file of `torch.save`.

    A pickle that carries anything but tensors or arrays is refused, not run. Raises WeightsError.
    """
    if path.suffix == ".pkl":
        return read_numpy_pickle(path)
    if path.suffix == SAFETENSORS_SUFFIX:
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path}: damaged, or not a safetensors file: {error}") from error
    state = read_torch_file(path)
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: holds {type(state).__name__}, not a state dict of tensors.")
    return dict(state)


def read_torch_file(path: Path) -> object:
    """What `torch.save` wrote: tensors, numbers and containers. Raises WeightsError for anything else."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make the parser raise nearly anything
        raise WeightsError(
            f"{path}: not readable as weights: it is damaged, cut short, or a pickle that carries code "
            f"(such files are never run). Fetch it again. ({type(error).__name__})"
        ) from error


def part_of_state(
    state: Mapping[str, Tensor], prefix: str, others: Collection[str] = ()
) -> dict[str, Tensor]:
    """The part of a larger model's state under `prefix`, without it; a state without such a part as it is.

    others: prefixes of the model's other parts, which are left out. Anything else stays, to be found superfluous.
    """
    if not any(name.startswith(prefix) for name in state):
        return dict(state)
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if not name.startswith(tuple(others))
    }


def fill_network(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, unused: Collection[str] = ()
) -> None:
    """Put a state dict into `network`.

    unused: names that the file may hold and the network does not need.
    Raises WeightsError that lists the keys which are missing or superfluous and the shapes which differ.
    """
    expected = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name not in unused}
    missing = [name for name in expected if name not in given and not name.endswith(_OPTIONAL_SUFFIX)]
    extra = [name for name in given if name not in expected]
    shapes = [
        f"{name} is {tuple(given[name].shape)} instead of {tuple(expected[name].shape)}"
        for name in expected
        if name in given and given[name].shape != expected[name].shape
    ]
    problems = [
        f"  {len(names)} {title}: {', '.join(names[:SHOWN_NAMES])}{' …' if len(names) > SHOWN_NAMES else ''}"
        for title, names in (("missing", missing), ("superfluous", extra), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise WeightsError(f"{path}: these weights do not fit the network:\n" + "\n".join(problems))
    network.load_state_dict({**expected, **given})
