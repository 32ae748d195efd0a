"""Token sequences of many voices or faces as one padded tensor and its mask."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor


@dataclass(frozen=True)
class TokenSequences:
    """Sequences of different lengths, padded with zeros to the longest.

    tokens: float32 (items, longest, dimension).
    mask: bool (items, longest), true for tokens and false for padding; every item has at least one token.
    """

    tokens: Tensor
    mask: Tensor

    @classmethod
    def gather(
        cls,
        vectors: np.ndarray,
        first: ArrayLike,
        count: ArrayLike,
        device: torch.device | str = "cpu",
        longest: int = 0,
    ) -> "TokenSequences":
        """Collect the sequences `vectors[first[i] : first[i] + count[i]]` and put them on the device.

        vectors: float32 (all tokens, dimension). first, count: integers (items,). longest: tokens to pad to, at least.
        Raises ValueError when there is no item or an item has no token.
        """
        starts, lengths = np.asarray(first, dtype=np.int64), np.asarray(count, dtype=np.int64)
        if len(starts) == 0 or lengths.min() < 1:
            raise ValueError("every item must have at least one token, and there must be an item")
        positions = np.arange(max(longest, int(lengths.max())))
        mask = positions[None, :] < lengths[:, None]
        rows = np.where(mask, starts[:, None] + positions[None, :], 0)
        tokens = vectors[rows].astype(np.float32, copy=False)
        if not mask.all():
            tokens[~mask] = 0.0
        return cls(torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device))

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def dimension(self) -> int:
        """Numbers in a token."""
        return int(self.tokens.shape[-1])

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.tokens.device

    @property
    def longest(self) -> int:
        """Tokens of each item, padding among them."""
        return int(self.tokens.shape[1])

    def block(self, start: int, stop: int) -> "TokenSequences":
        """The items from `start` to before `stop`."""
        return TokenSequences(self.tokens[start:stop], self.mask[start:stop])

    def select(self, rows: Tensor) -> "TokenSequences":
        """The items `rows` (n,), in that order, repeated as often as they stand there."""
        return TokenSequences(self.tokens[rows], self.mask[rows])

    def mean(self) -> Tensor:
        """Mean token of each item, float (items, dimension); padding does not count."""
        return masked_token_mean(self.tokens, self.mask)


@dataclass(frozen=True)
class TokenRuns:
    """Sequences where they stand in an array of vectors: nothing is copied until a block of them is asked for.

    vectors: float32 (all tokens, dimension). first, count: integers (items,); item i is
    `vectors[first[i] : first[i] + count[i]]`. device: where blocks are put.
    """

    vectors: np.ndarray
    first: np.ndarray
    count: np.ndarray
    device: torch.device | str = "cpu"

    def __len__(self) -> int:
        return len(self.first)

    @property
    def dimension(self) -> int:
        """Numbers in a token."""
        return int(self.vectors.shape[1])

    @property
    def longest(self) -> int:
        """Most tokens of an item; every block is padded to it."""
        return int(self.count.max())

    def block(self, start: int, stop: int) -> TokenSequences:
        """The items from `start` to before `stop`."""
        part = slice(start, stop)
        return TokenSequences.gather(
            self.vectors, self.first[part], self.count[part], self.device, self.longest
        )


def masked_token_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that the mask keeps.

    tokens: float (..., T, d). mask: bool, broadcastable to (..., T), at least one true. Returns (..., d).
    """
    if tokens.shape[-2] == 1:  # the one token is no padding
        return tokens.squeeze(-2)
    weight = mask.to(tokens.dtype)
    weight = weight / weight.sum(-1, keepdim=True)
    return torch.matmul(weight.unsqueeze(-2), tokens).squeeze(-2)
