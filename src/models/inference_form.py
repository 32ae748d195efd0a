"""Networks made ready for inference alone: batch norms folded into convolutions, matrix products in bfloat16.

Folding is exact up to rounding: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (CVPR 2018), equations 13 and 14.
"""

import contextlib
import copy
from collections import Counter
from typing import Literal

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node, symbolic_trace
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

Precision = Literal["float32", "bfloat16"]


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose convolutions carry the batch norms behind them; channels stand side by side.

    A network that torch.fx cannot follow, since its Python code looks at the numbers, is copied as it is.
    """
    evaluated = copy.deepcopy(network).eval()
    if any(isinstance(layer, nn.BatchNorm2d) for layer in evaluated.modules()):
        with contextlib.suppress(TraceError, TypeError, ValueError, RuntimeError):
            evaluated = _with_norms_folded(symbolic_trace(evaluated))
    return evaluated.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs


def _with_norms_folded(network: GraphModule) -> GraphModule:
    uses = Counter(str(node.target) for node in network.graph.nodes if node.op == "call_module")
    for node in list(network.graph.nodes):
        before = node.args[0] if node.args else None
        if not isinstance(before, Node) or {node.op, before.op} != {"call_module"}:
            continue
        convolution, norm = (network.get_submodule(str(one.target)) for one in (before, node))
        if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            continue
        if len(before.users) == 1 and uses[str(before.target)] == uses[str(node.target)] == 1:
            network.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            network.graph.erase_node(node)
    network.delete_all_unused_submodules()
    network.recompile()
    return network


class LowerPrecision(nn.Module):
    """A copy of a network whose convolutions and matrix products take and give bfloat16; it gives float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        # Autocast would convert the weights of every batch anew.
        for layer in self.network.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
                layer.bfloat16()

    def forward(self, batch: Tensor) -> Tensor:
        """What the network gives for a batch, in float32."""
        with torch.autocast(batch.device.type, torch.bfloat16):
            vectors: Tensor = self.network(batch)
        return vectors.float()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 matrices itself; elsewhere they are right, but slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
