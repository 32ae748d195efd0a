"""What happens to photographs in the wild, done to a batch of face crops at once."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class FaceAugmentationConfig:
    """Ranges of each change; geometry is drawn for every crop, the rest by chance.

    rotation_degrees: largest turn to either side.
    scale: range of the zoom (above 1: closer).
    shift: largest move, as a share of the side.
    brightness, contrast, colour: largest relative changes; colour is one for each channel.
    blur_probability: chance of a low resolution.
    blur_pixels: range of the side that such a crop is reduced to and enlarged from again.
    noise_probability, noise_level: chance and largest standard deviation of sensor noise, of 255.
    cutout_probability, cutout_share: chance of a grey rectangle, and its largest side as a share.
    """

    __pydantic_config__ = STRICT

    rotation_degrees: float = 8.0
    scale: tuple[float, float] = (0.9, 1.12)
    shift: float = 0.06
    brightness: float = 0.15
    contrast: float = 0.15
    colour: float = 0.03
    blur_probability: float = 0.25
    blur_pixels: tuple[int, int] = (36, 80)
    noise_probability: float = 0.3
    noise_level: float = 10.0
    cutout_probability: float = 0.2
    cutout_share: float = 0.35


def augment_faces(
    crops: Tensor, pixels: int, config: FaceAugmentationConfig, stream: np.random.Generator
) -> Tensor:
    """Changed crops: uint8 (batch, 3, any, any) to float (batch, 3, pixels, pixels) in 0..255."""
    changed = move(crops.float(), pixels, config, stream)
    changed = recolour(changed, config, stream)
    for row in np.flatnonzero(stream.random(len(changed)) < config.blur_probability).tolist():
        side = int(stream.integers(config.blur_pixels[0], config.blur_pixels[1] + 1))
        small = F.interpolate(changed[row : row + 1], size=(side, side), mode="area")
        changed[row : row + 1] = F.interpolate(small, size=(pixels, pixels), mode="bilinear")
    noisy = torch.from_numpy(np.flatnonzero(stream.random(len(changed)) < config.noise_probability))
    levels = torch.from_numpy(stream.uniform(0, config.noise_level, (len(noisy), 1, 1, 1))).float()
    noise = torch.from_numpy(stream.standard_normal((len(noisy), 3, pixels, pixels), dtype=np.float32))
    changed[noisy] += levels * noise
    for row in np.flatnonzero(stream.random(len(changed)) < config.cutout_probability).tolist():
        height, width = (stream.uniform(0.1, config.cutout_share, 2) * pixels).astype(int).tolist()
        top, left = (int(stream.integers(pixels - side + 1)) for side in (height, width))
        changed[row, :, top : top + height, left : left + width] = float(stream.uniform(0, 255))
    return changed.clamp_(0, 255)


def move(crops: Tensor, pixels: int, config: FaceAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Turn, zoom, shift and mirror: float (batch, 3, any, any) to (batch, 3, pixels, pixels)."""
    batch = len(crops)
    angle = np.deg2rad(stream.uniform(-config.rotation_degrees, config.rotation_degrees, batch))
    zoom = 1 / stream.uniform(*config.scale, batch)
    mirror = stream.choice([-1.0, 1.0], batch)
    shift = stream.uniform(-2 * config.shift, 2 * config.shift, (batch, 2))
    matrix = np.empty((batch, 2, 3), dtype=np.float32)
    matrix[:, 0] = np.stack([mirror * zoom * np.cos(angle), -zoom * np.sin(angle), shift[:, 0]], axis=1)
    matrix[:, 1] = np.stack([mirror * zoom * np.sin(angle), zoom * np.cos(angle), shift[:, 1]], axis=1)
    grid = F.affine_grid(torch.from_numpy(matrix), [batch, 3, pixels, pixels], align_corners=False)
    return F.grid_sample(crops, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def recolour(crops: Tensor, config: FaceAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Change contrast about the mean, brightness, and the balance of the channels."""
    batch = len(crops)
    contrast = _around_one(config.contrast, (batch, 1, 1, 1), stream)
    gain = _around_one(config.brightness, (batch, 1, 1, 1), stream) * _around_one(
        config.colour, (batch, 3, 1, 1), stream
    )
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    return ((crops - mean) * contrast + mean) * gain


def _around_one(spread: float, shape: tuple[int, ...], stream: np.random.Generator) -> Tensor:
    return torch.from_numpy(1 + stream.uniform(-spread, spread, shape)).float()
