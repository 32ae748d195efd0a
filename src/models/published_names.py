"""State dicts of published code under this project's names: every key is mapped by its name, none is guessed."""

from collections.abc import Mapping

from torch import Tensor, nn

from src.core.errors import WeightsError


def renamed_state(state: Mapping[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """The state with each key's published prefix replaced by ours.

    prefixes: published → ours; no published prefix begins with another. Raises WeightsError for keys without one.
    """
    renamed: dict[str, Tensor] = {}
    unknown = []
    for name, tensor in state.items():
        published = next((prefix for prefix in prefixes if name.startswith(prefix)), None)
        if published is None:
            unknown.append(name)
        else:
            renamed[prefixes[published] + name.removeprefix(published)] = tensor
    if unknown:
        raise WeightsError(
            f"{len(unknown)} keys are not of this method: {', '.join(unknown[:5])}. Expected keys that begin with "
            f"{', '.join(prefixes)}: give the method's own checkpoint."
        )
    return renamed


def shape_of(state: Mapping[str, Tensor], name: str, axes: int) -> tuple[int, ...]:
    """Shape of a tensor that must be there, with that many axes. Raises WeightsError."""
    if name not in state or state[name].ndim != axes:
        raise WeightsError(
            f"the state has no tensor {name!r} of {axes} axes: it is another method's, or cut short"
        )
    return tuple(state[name].shape)


def fill_exactly(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put the state into the network; raises WeightsError that names what is missing, superfluous or misshapen."""
    try:
        network.load_state_dict(dict(state))
    except RuntimeError as error:
        raise WeightsError(f"these weights do not fit the network. {error}") from error
