"""The three networks of the cascade with facenet-pytorch's weights, laid out for speed; their outputs stay the same.

All take pixels 0 to 255, channels-last, where convolution and pooling are fastest on a CPU.
"""

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import Tensor, nn
from torch.nn import functional as F

_PIXEL_MEAN, _PIXEL_SCALE = 127.5, 128.0  # what the networks were trained on: (pixel - mean) / scale


class ProposalNetwork(nn.Module):
    """The first network: sees every window of 12 pixels, at steps of 2.

    Its two heads are one matrix: of the two logits only the difference counts, since softmax of two is a sigmoid of it.
    """

    def __init__(self) -> None:
        """Load the weights."""
        super().__init__()
        published = PNet()
        self.convolutions = nn.ModuleList([published.conv1, published.conv2, published.conv3])
        self.slopes = nn.ParameterList(
            [published.prelu1.weight, published.prelu2.weight, published.prelu3.weight]
        )
        self.pooling = published.pool1
        logits, offset = published.conv4_1, published.conv4_2
        self.heads = nn.Linear(logits.in_channels, 1 + offset.out_channels)
        with torch.no_grad():
            weight = torch.cat([logits.weight[1:] - logits.weight[:1], offset.weight])
            self.heads.weight.copy_(weight[:, :, 0, 0])
            self.heads.bias.copy_(torch.cat([logits.bias[1:] - logits.bias[:1], offset.bias]))
        fold_normalisation(published.conv1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Probability (images, rows, columns) and box offset (images, rows, columns, 4) of each window.

        pixels: (images, 3, height, width).
        """
        values = self.pooling(_activate(self.convolutions[0](pixels), self.slopes[0]))
        for convolution, slopes in zip(self.convolutions[1:], self.slopes[1:], strict=True):
            values = _activate(convolution(values), slopes)
        outputs = self.heads(values.permute(0, 2, 3, 1))
        return outputs[..., 0].sigmoid(), outputs[..., 1:]


def load_refinement_network() -> RNet:
    """The second network, which sees candidates of 24 × 24 pixels."""
    network = RNet()
    fold_normalisation(network.conv1)
    return network


def load_output_network() -> ONet:
    """The third network, which sees candidates of 48 × 48 pixels."""
    network = ONet()
    fold_normalisation(network.conv1)
    return network


@torch.no_grad()
def fold_normalisation(convolution: nn.Conv2d) -> None:
    """Let a convolution for normalised pixels take them as they are, 0 to 255."""
    assert convolution.bias is not None
    convolution.bias -= convolution.weight.sum(dim=(1, 2, 3)) * (_PIXEL_MEAN / _PIXEL_SCALE)
    convolution.weight /= _PIXEL_SCALE


def _activate(values: Tensor, slopes: Tensor) -> Tensor:
    """PReLU over whole rows of pixels: a loop over ten channels at a time takes twice as long."""
    count, channels, height, width = values.shape
    rows = values.permute(0, 2, 3, 1).reshape(count * height, width * channels)
    activated = F.prelu(rows, slopes.repeat(width))
    return activated.view(count, height, width, channels).permute(0, 3, 1, 2)
