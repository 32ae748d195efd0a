"""Inception-ResNet v1 as facenet-pytorch publishes it, trained on VGGFace2.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning" (2016);
Cao et al., "VGGFace2" (2018). The class and its fixed standardization are facenet-pytorch's.
"""

import torch
from facenet_pytorch import InceptionResnetV1, fixed_image_standardization
from torch import Tensor, nn

INPUT_PIXELS = 160
DIMENSION = 512


class InceptionFaceEncoder(nn.Module):
    """RGB crops in 0..255 to face vectors of length 1, 512-d."""

    def __init__(self) -> None:
        super().__init__()
        self.network = InceptionResnetV1(pretrained=None, classify=False)
        self.network.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> Tensor:
        """(batch, 3, 160, 160) in 0..255 to (batch, 512)."""
        standardized = fixed_image_standardization(crops.float())
        vectors: Tensor = self.network(standardized.contiguous(memory_format=torch.channels_last))
        return vectors
