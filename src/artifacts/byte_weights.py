"""Weights of one byte a number and one scale a row, for networks that ship with the project.

A weight w of row r is stored as round(w / s_r), where s_r makes the largest of the row 127: off by at most half a
step, 0.4 % of the row's largest weight.
"""

from collections.abc import Mapping

import torch

_SCALE_SUFFIX = ".scale"
_LARGEST = 127


def to_bytes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices and kernels as int8 with float32 scales (rows,) beside them; vectors stay as they are."""
    found: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or tensor.ndim < 2:
            found[name] = tensor
            continue
        rows = tensor.float().flatten(1)
        scales = (rows.abs().amax(dim=1) / _LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
        found[name] = (rows / scales[:, None]).round().to(torch.int8).view(tensor.shape)
        found[name + _SCALE_SUFFIX] = scales
    return found


def from_bytes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `to_bytes` was given, rounded: float32. Other tensors stay. Raises ValueError where scales do not fit."""
    found = dict(weights)
    for name, tensor in weights.items():
        if tensor.dtype != torch.int8:
            continue
        scales = found.pop(name + _SCALE_SUFFIX, torch.zeros(0))
        if tensor.ndim < 2 or scales.shape != tensor.shape[:1]:
            raise ValueError(
                f"the scales of {name} are {tuple(scales.shape)}, its shape is {tuple(tensor.shape)}"
            )
        found[name] = (tensor.float().flatten(1) * scales.float()[:, None]).view(tensor.shape)
    return found
