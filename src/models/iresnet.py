"""IResNet: an aligned face crop in, one face vector out.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition" (2019), with the improved residual
units of Duta et al., "Improved Residual Networks for Image and Video Recognition" (2020), as InsightFace trains and
publishes it. Modules are named as in its state dicts.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

INPUT_PIXELS = 112
DIMENSION = 512
_STAGE_CHANNELS = (64, 128, 256, 512)
_LAST_SIDE = 7  # 112 pixels, halved by each of the four stages


@dataclass(frozen=True, kw_only=True)
class IResNetConfig:
    """Depth of an IResNet and the order of colours that its weights were trained on.

    blocks: residual blocks of each of the four stages.
    blue_first: the weights read BGR, as OpenCV decodes, instead of RGB.
    """

    blocks: tuple[int, int, int, int]
    blue_first: bool = False


IRESNET18 = IResNetConfig(blocks=(2, 2, 2, 2))
IRESNET50 = IResNetConfig(blocks=(3, 4, 14, 3))
IRESNET100 = IResNetConfig(blocks=(3, 13, 30, 3))
MFV_IRESNET18 = IResNetConfig(blocks=(2, 2, 2, 2), blue_first=True)


class ResidualBlock(nn.Module):
    """Norm, 3x3, norm, PReLU, 3x3 with the stride, norm; the shortcut carries no activation."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.prelu = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )
            if stride > 1
            else nn.Identity()
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels_in, side, side) to (batch, channels, side / stride, side / stride)."""
        branch = self.prelu(self.bn2(self.conv1(self.bn1(hidden))))
        joined: Tensor = self.bn3(self.conv2(branch)) + self.downsample(hidden)
        return joined


class IResNet(nn.Module):
    """RGB crops in 0..255, eyes and mouth at ArcFace's places, to face vectors as they are, 512-d."""

    def __init__(self, config: IResNetConfig) -> None:
        super().__init__()
        self.blue_first = config.blue_first
        self.conv1 = nn.Conv2d(3, _STAGE_CHANNELS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_STAGE_CHANNELS[0])
        self.prelu = nn.PReLU(_STAGE_CHANNELS[0])
        former = (_STAGE_CHANNELS[0], *_STAGE_CHANNELS)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _stage(channels_in, channels, blocks)
            for channels_in, channels, blocks in zip(former, _STAGE_CHANNELS, config.blocks, strict=False)
        )
        self.bn2 = nn.BatchNorm2d(_STAGE_CHANNELS[-1])
        self.fc = nn.Linear(_STAGE_CHANNELS[-1] * _LAST_SIDE**2, DIMENSION)
        self.features = nn.BatchNorm1d(DIMENSION)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from PyTorch's stubs

    def forward(self, crops: Tensor) -> Tensor:
        """(batch, 3, 112, 112) RGB in 0..255 to (batch, 512)."""
        return self.embed_scaled((crops.flip(1) if self.blue_first else crops).float() / 127.5 - 1)

    def embed_scaled(self, images: Tensor) -> Tensor:
        """(batch, 3, 112, 112) in -1..1, colours in the order of the weights, to (batch, 512)."""
        hidden = self.prelu(self.bn1(self.conv1(images.contiguous(memory_format=torch.channels_last))))
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden))))
        vectors: Tensor = self.features(self.fc(self.bn2(hidden).flatten(1)))
        return vectors


def _stage(channels_in: int, channels: int, blocks: int) -> nn.Sequential:
    first = ResidualBlock(channels_in, channels, stride=2)
    return nn.Sequential(first, *(ResidualBlock(channels, channels, stride=1) for _ in range(blocks - 1)))
