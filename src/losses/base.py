"""What losses over labelled embeddings share: the checks, once, before the formula of the leaf."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class LabelledEmbeddingLoss(nn.Module, ABC):
    """A loss of a batch of embeddings and the identity of each."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss, a scalar.

        embeddings: float (batch, d). labels: integer (batch,).
        Raises ValueError when the shapes do not fit or the labels are not integers.
        """
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
            raise ValueError(
                f"embeddings must be (batch, d) and labels (batch,); got {tuple(embeddings.shape)} and {tuple(labels.shape)}"
            )
        if labels.dtype.is_floating_point or labels.dtype == torch.bool:
            raise ValueError(f"labels must be integers, not {labels.dtype}")
        return self.value(embeddings, labels)

    @abstractmethod
    def value(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The formula; shapes have been checked."""


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `values` where `mask` is true, 0 where it is true nowhere; no device synchronisation."""
    kept = mask.to(values.dtype)
    return (values * kept).sum() / kept.sum().clamp_min(1.0)
