"""A second task for an encoder: answer attributes of the identity, linearly, from its vector."""

import numpy as np
from torch import Tensor, nn


class AttributeRegression(nn.Module):
    """Linear answers to standardized attributes, with a mean squared error.

    targets: (identities, attributes), standardized; NaN for identities of which none are known.
    """

    def __init__(self, dimension: int, targets: Tensor) -> None:
        super().__init__()
        self.targets: Tensor
        self.known: Tensor
        self.register_buffer("known", targets.isfinite().all(dim=1))
        self.register_buffer("targets", targets.nan_to_num())
        self.answer = nn.Linear(dimension, targets.shape[1])

    def forward(self, vectors: Tensor, identities: Tensor) -> Tensor:
        """Mean squared error over the batch; rows of identity -1 and of unknown attributes do not count.

        The vectors are taken at length 1 times the root of their dimension, since that is how they are used.
        """
        known = (identities >= 0) & self.known[identities]
        directions = nn.functional.normalize(vectors[known].float()) * vectors.shape[1] ** 0.5
        error = self.answer(directions) - self.targets[identities[known]]
        return error.square().mean() if known.any() else vectors.new_zeros(())


def standardized(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Columns of `values` with mean 0 and standard deviation 1 over `rows`, NaN left out; constant ones become 0 there."""
    spread = np.nanstd(values[rows], axis=0)
    return (values - np.nanmean(values[rows], axis=0)) / np.where(spread > 0, spread, 1)
