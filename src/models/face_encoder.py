"""A narrow residual network for faces: an RGB crop in, one face vector out.

Residual blocks as in He et al., "Identity Mappings in Deep Residual Networks" (ECCV 2016), with PReLU as
in face recognition since ArcFace. The last maps are flattened and projected rather than averaged, so that
where a feature sits, the geometry of a face, stays in the vector.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class FaceEncoderConfig:
    """Widths of the compact face encoder.

    input_pixels: side of the square crop; a multiple of 2^(1 + number of stages).
    stem_channels: width of the first convolution, which halves the side.
    stage_channels: width of each stage; each halves the side.
    stage_blocks: residual blocks of each stage.
    neck_channels: channels that the last maps are reduced to before they are flattened.
    dimension: length of the face vector.
    """

    __pydantic_config__ = STRICT

    input_pixels: int = 96
    stem_channels: int = 24
    stage_channels: tuple[int, ...] = (40, 80, 128)
    stage_blocks: tuple[int, ...] = (1, 1, 1)
    neck_channels: int = 32
    dimension: int = 128

    def __post_init__(self) -> None:
        if len(self.stage_channels) != len(self.stage_blocks) or not self.stage_blocks:
            raise ValueError("stage_channels and stage_blocks must have one entry a stage")
        if self.input_pixels % 2 ** (1 + len(self.stage_channels)):
            raise ValueError(
                f"input_pixels={self.input_pixels} cannot be halved {1 + len(self.stage_channels)} times"
            )


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions around a shortcut; the first one may halve the side."""

    def __init__(self, input_channels: int, output_channels: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(input_channels, output_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(output_channels),
            nn.PReLU(output_channels),
            nn.Conv2d(output_channels, output_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(output_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or input_channels != output_channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(input_channels, output_channels, 1, bias=False),
                nn.BatchNorm2d(output_channels),
            )
        self.activation = nn.PReLU(output_channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(batch, input_channels, height, width) to (batch, output_channels, height', width')."""
        result: Tensor = self.activation(self.branch(maps) + self.shortcut(maps))
        return result


class CompactFaceEncoder(nn.Module):
    """RGB crops in 0..255 to face vectors; the scaling to -1..1 is part of the network."""

    def __init__(self, config: FaceEncoderConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = [
            nn.Conv2d(3, config.stem_channels, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(config.stem_channels),
            nn.PReLU(config.stem_channels),
        ]
        channels = config.stem_channels
        for width, blocks in zip(config.stage_channels, config.stage_blocks, strict=True):
            for block in range(blocks):
                layers.append(ResidualBlock(channels, width, stride=1 if block else 2))
                channels = width
        side = config.input_pixels // 2 ** (1 + len(config.stage_channels))
        self.maps: nn.Module = nn.Sequential(*layers)
        self.neck = nn.Sequential(
            nn.Conv2d(channels, config.neck_channels, 1, bias=False),
            nn.BatchNorm2d(config.neck_channels),
            nn.Flatten(),
            nn.Linear(config.neck_channels * side * side, config.dimension, bias=False),
            nn.BatchNorm1d(config.dimension),
        )

    def forward(self, crops: Tensor) -> Tensor:
        """(batch, 3, input_pixels, input_pixels) in 0..255 to (batch, dimension)."""
        scaled = (crops.float() - 127.5) / 128.0
        vectors: Tensor = self.neck(self.maps(scaled.contiguous(memory_format=torch.channels_last)))
        return vectors
