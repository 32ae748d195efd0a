"""Multi-head cross-attention between token sequences, for listed pairs or for all pairs of two sets at once."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Queries of one modality attend over the tokens of the other.

        head_h(Q, K) = softmax(Q W_q,h (K W_k,h)ᵀ / √c) K W_v,h,    c = d / heads
        output = [head_1 ‖ … ‖ head_H] W_o

    Source: Vaswani et al., "Attention Is All You Need", 2017, sect. 3.2. Queries, keys and values are projected
    once a sequence, not once a pair. Over a single key the softmax is 1, whatever the query: the attention is
    then the linear map K W_v W_o, and W_q, W_k get no gradient.

    dimension: d of the tokens, a multiple of `heads`. dropout: of the attention weights.
    """

    def __init__(self, dimension: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(dimension, dimension)
        self.key = nn.Linear(dimension, dimension)
        self.value = nn.Linear(dimension, dimension)
        self.output = nn.Linear(dimension, dimension)

    def forward(self, queries: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
        """Row i of the queries attends over row i of the keys.

        queries: (P, T, d). keys: (P, S, d). key_mask: bool (P, S), at least one true a row. Returns (P, T, d).
        """
        weights = self.weights(queries, keys, key_mask)
        heads = torch.einsum("phts,pshc->pthc", weights, self._split(self.value(keys)))
        return self.output(heads.flatten(-2))

    def weights(self, queries: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
        """What `forward` weighs the values with: (P, heads, T, S), over S the sum 1 and 0 where masked."""
        logits = torch.einsum(
            "pthc,pshc->phts", self._split(self.query(queries)), self._split(self.key(keys))
        )
        return self._weights(logits, key_mask[:, None, None, :])

    def all_pairs(self, queries: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
        """Every row of the queries attends over every row of the keys.

        queries: (A, T, d). keys: (B, S, d). key_mask: bool (B, S), at least one true a row.
        Returns (A, B, T, d).
        """
        logits = torch.einsum(
            "athc,bshc->bhats", self._split(self.query(queries)), self._split(self.key(keys))
        )
        weights = self._weights(logits, key_mask[:, None, None, None, :])
        heads = torch.einsum("bhats,bshc->abthc", weights, self._split(self.value(keys)))
        return self.output(heads.flatten(-2))

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1))

    def _weights(self, logits: Tensor, mask: Tensor) -> Tensor:
        channels = self.query.out_features // self.heads
        scaled = (logits / math.sqrt(channels)).masked_fill(~mask, -math.inf)
        return F.dropout(scaled.softmax(-1), self.dropout, self.training)
