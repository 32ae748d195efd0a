"""ResNet-50 as the University of Oxford published it, trained on VGGFace2: a face crop in, one face vector out.

Cao, Shen, Xie, Parkhi, Zisserman, "VGGFace2: A dataset for recognising faces across pose and age" (2018); He et al.,
"Deep Residual Learning for Image Recognition" (2016). The network is torchvision's, in the arrangement of the
original Caffe model: a block's stride is in its first 1x1 convolution, and the first pooling starts at the corner.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.models.resnet import Bottleneck

INPUT_PIXELS = 224
DIMENSION = 2048
RGB_MEANS = (131.0912, 103.8827, 91.4953)

_DAG_NAME = re.compile(r"conv([2-5])_(\d)_(\w+)\.(\w+)")
_DAG_LAYERS = {
    "1x1_reduce": "conv1",
    "1x1_reduce_bn": "bn1",
    "3x3": "conv2",
    "3x3_bn": "bn2",
    "1x1_increase": "conv3",
    "1x1_increase_bn": "bn3",
    "1x1_proj": "downsample.0",
    "1x1_proj_bn": "downsample.1",
}


class VggFace2Resnet(nn.Module):
    """RGB crops in 0..255 to the 2048 averages of the last layer, as they are."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.tensor(RGB_MEANS).view(3, 1, 1), persistent=False)
        self.network = resnet50(weights=None)
        self.network.maxpool = nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True)
        self.network.fc = nn.Identity()  # the classes are not used
        for block in self.network.modules():
            if isinstance(block, Bottleneck):
                block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
        self.network.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> Tensor:
        """(batch, 3, 224, 224) in 0..255 to (batch, 2048)."""
        centred = crops.float() - self.means
        vectors: Tensor = self.network(centred.contiguous(memory_format=torch.channels_last))
        return vectors


def rgb_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Either public conversion as torchvision's names and weights that read RGB; unknown names stay.

    Of the two, the MatConvNet conversion has Caffe's layer names and reads RGB; VGGFace2-pytorch has torchvision's
    names and reads BGR, so the input channels of its first convolution are turned round: the same sum.
    """
    if "conv1_7x7_s2.weight" in state:
        return {_torchvision_name(name): tensor for name, tensor in state.items()}
    renamed = dict(state)
    first = renamed.get("conv1.weight")
    if first is not None and first.ndim == 4:
        renamed["conv1.weight"] = first.flip(1)
    return renamed


def _torchvision_name(name: str) -> str:
    if name.startswith("conv1_7x7_s2"):
        return name.replace("conv1_7x7_s2_bn", "bn1").replace("conv1_7x7_s2", "conv1")
    if name.startswith("classifier."):
        return name.replace("classifier", "fc")
    match = _DAG_NAME.fullmatch(name)
    if match is None or match[3] not in _DAG_LAYERS:
        return name
    stage, block, layer, parameter = match.groups()
    return f"layer{int(stage) - 1}.{int(block) - 1}.{_DAG_LAYERS[layer]}.{parameter}"
