"""Optimisers and the course of the learning rate, from a configuration."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from src.training.association_config import OptimizerConfig


def make_optimizer(
    parameters: Mapping[float, Sequence[nn.Parameter]], config: OptimizerConfig
) -> torch.optim.Optimizer:
    """The optimiser that the configuration names; only matrices decay.

    parameters: by the share of the learning rate that they take, which their groups keep as `rate_share`.
    """
    groups = [
        {"params": own, "weight_decay": decay, "rate_share": share}
        for share, of_share in parameters.items()
        for own, decay in (
            ([p for p in of_share if p.ndim > 1], config.weight_decay),
            ([p for p in of_share if p.ndim <= 1], 0.0),
        )
    ]
    if config.name == "sgd":
        assert config.momentum is not None, "checked with the configuration"
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, fused=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def learning_rate(config: OptimizerConfig, step: int, steps: int) -> float:
    """The rate of a step, counted from 0, of `steps`."""
    warm_up = min(1.0, (step + 1) / max(1, config.warmup_steps))
    share = min(1.0, step / steps)
    if config.schedule == "cosine":
        course = 0.5 * (1.0 + math.cos(math.pi * share))
    elif config.schedule == "step":
        course = config.step_factor ** sum(share >= border for border in config.step_at)
    else:
        course = 1.0
    return config.learning_rate * warm_up * course
