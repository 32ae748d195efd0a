"""ECAPA-TDNN for inference: the network and numbers of SpeechBrain's class, with frames as rows of a matrix.

Where the channels of a frame stand side by side, a convolution over time is one matrix product, which is what processors
do best, and utterances of any lengths stand below each other in one matrix: nothing is padded, so nothing changes.
Statistics over time that the published class repeats for each frame are computed once an utterance. In float32 the
vectors differ from the published class's by rounding alone.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.speaker_encoder import SAMPLE_RATE_HZ, SpeakerEncoder

_VARIANCE_FLOOR = 1e-12
_HOP_SAMPLES = SAMPLE_RATE_HZ // 100


class Utterances:
    """Which rows of a matrix of frames belong to which utterance.

    frame_counts: frames of each utterance, in the order of the rows.
    """

    def __init__(self, frame_counts: Sequence[int], device: torch.device) -> None:
        self.frame_counts = list(frame_counts)
        counts = torch.tensor(self.frame_counts, device=device)
        frames = sum(self.frame_counts)
        self._owner = torch.repeat_interleave(
            torch.arange(len(counts), device=device), counts, output_size=frames
        )
        self._first = (counts.cumsum(0) - counts)[self._owner]
        self._last = self._first + counts[self._owner] - 1
        self._row = torch.arange(frames, device=device)
        self._members = F.one_hot(self._owner, len(counts)).T.contiguous()
        self._counts = counts[:, None].float()

    def sums(self, rows: Tensor) -> Tensor:
        """Over each utterance: (frames, channels) to (utterances, channels)."""
        return self._members.to(rows.dtype) @ rows

    def means(self, rows: Tensor) -> Tensor:
        """Over each utterance, float32: (frames, channels) to (utterances, channels)."""
        return self.sums(rows).float() / self._counts

    def maxima(self, rows: Tensor) -> Tensor:
        """Over each utterance: (frames, channels) to (utterances, channels)."""
        return torch.stack([part.amax(dim=0) for part in rows.split(self.frame_counts)])

    def spread(self, values: Tensor) -> Tensor:
        """What all frames of an utterance share, ready to be broadcast: (utterances, channels) to (frames or 1, channels)."""
        return values if len(values) == 1 else values.index_select(0, self._owner)

    def taps(self, kernel: int, dilation: int) -> Tensor:
        """Which row each tap of each frame's kernel reads, mirrored at an utterance's ends: (frames * kernel,)."""
        steps = (torch.arange(kernel, device=self._row.device) - kernel // 2) * dilation
        first, last = self._first[:, None], self._last[:, None]
        places = first + (self._row[:, None] + steps - first).abs()
        return (last - (last - places).abs()).flatten()


class FrameConvolution(nn.Module):
    """A convolution over time as a matrix product; then, where there is a norm, ReLU and the norm as scale and shift."""

    weight: Tensor
    bias: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, convolution: nn.Conv1d, norm: nn.BatchNorm1d | None = None) -> None:
        super().__init__()
        assert convolution.bias is not None, "SpeechBrain's convolutions have a bias"
        self.kernel, self.dilation = convolution.kernel_size[0], convolution.dilation[0]
        self.register_buffer("weight", convolution.weight.detach().transpose(1, 2).flatten(1).contiguous())
        self.register_buffer("bias", convolution.bias.detach().clone())
        self.has_norm = norm is not None
        if norm is not None:
            scale, shift = _scale_and_shift(norm)
            self.register_buffer("scale", scale)
            self.register_buffer("shift", shift)

    def forward(self, rows: Tensor, utterances: Utterances) -> Tensor:
        """(frames, channels) to (frames, new channels)."""
        if self.kernel > 1:
            taps = rows.index_select(0, utterances.taps(self.kernel, self.dilation))
            rows = taps.view(len(rows), self.kernel * rows.shape[1])
        return self.activate(F.linear(rows, self.weight, self.bias))

    def activate(self, product: Tensor) -> Tensor:
        """What follows the product, which it may overwrite."""
        return torch.addcmul(self.shift, product.relu_(), self.scale) if self.has_norm else product


class FrameMajorBlock(nn.Module):
    """SE-Res2Net block: groups of channels that each add the former's result, then channels weighted by their means."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.first, self.last = _tdnn(block.tdnn1), _tdnn(block.tdnn2)
        self.groups = nn.ModuleList(_tdnn(group) for group in block.res2net_block.blocks)
        self.squeeze = FrameConvolution(block.se_block.conv1.conv)
        self.excite = FrameConvolution(block.se_block.conv2.conv)
        self.shortcut = FrameConvolution(block.shortcut.conv) if block.shortcut else None

    def forward(self, rows: Tensor, utterances: Utterances) -> Tensor:
        """(frames, channels) to (frames, new channels)."""
        parts = list(self.first(rows, utterances).chunk(len(self.groups) + 1, dim=1))
        for place, group in enumerate(self.groups, start=1):
            parts[place] = group(parts[place] if place == 1 else parts[place] + parts[place - 1], utterances)
        result = self.last(torch.cat(parts, dim=1), utterances)
        means = utterances.means(result).to(rows.dtype)
        gate = self.excite(self.squeeze(means, utterances).relu(), utterances).sigmoid()
        past = rows if self.shortcut is None else self.shortcut(rows, utterances)
        return torch.addcmul(past, utterances.spread(gate), result)


class FrameMajorEcapa(nn.Module):
    """The forward pass of SpeechBrain's ECAPA_TDNN in evaluation mode, from a network of that class.

    Reads the weights once; later changes of that network do not reach it.
    """

    output_weight: Tensor
    output_bias: Tensor

    def __init__(self, network: Any) -> None:
        super().__init__()
        blocks = list(network.blocks)
        self.first = _tdnn(blocks[0])
        self.blocks = nn.ModuleList(FrameMajorBlock(block) for block in blocks[1:])
        self.aggregation = _tdnn(network.mfa)
        self.context = _tdnn(network.asp.tdnn)
        self.attention = FrameConvolution(network.asp.conv.conv)
        scale, shift = _scale_and_shift(network.asp_bn.norm)
        # The last norm stands directly before a linear layer, so both are one.
        weight, bias = (value.detach() for value in network.fc.conv.parameters())
        self.register_buffer("output_weight", weight[:, :, 0] * scale)
        self.register_buffer("output_bias", bias + weight[:, :, 0] @ shift)

    def lower_precision(self) -> "FrameMajorEcapa":
        """Make everything bfloat16 but the statistics over time and the last layer."""
        for part in (self.first, self.blocks, self.aggregation, self.context, self.attention):
            part.bfloat16()
        return self

    def forward(self, bands: Tensor, utterances: Utterances) -> Tensor:
        """Mel bands (frames, bands) to speaker vectors (utterances, dimension), float32."""
        rows = self.first(bands.to(self.first.weight.dtype), utterances)
        outputs = []
        for block in self.blocks:
            rows = block(rows, utterances)
            outputs.append(rows)
        return self._pool(self.aggregation(torch.cat(outputs, dim=1), utterances), utterances)

    def _pool(self, rows: Tensor, utterances: Utterances) -> Tensor:
        """Attentive statistics pooling with global context (Desplanques et al., section 3.1)."""
        features = rows.float()
        means = utterances.means(features)
        variances = utterances.means((features - utterances.spread(means)).square_())
        # An utterance's mean and deviation are the same in all of its frames: their share of the product is computed once.
        channels = features.shape[1]
        of_frames, of_context = self.context.weight.split([channels, 2 * channels], dim=1)
        statistics = torch.cat([means, _deviation(variances)], dim=1).to(rows.dtype)
        context = F.linear(statistics, of_context, self.context.bias)
        product = F.linear(rows, of_frames).add_(utterances.spread(context))
        logits = self.attention(self.context.activate(product).tanh_(), utterances).float()
        attention = (logits - utterances.spread(utterances.maxima(logits))).exp_()
        total = utterances.sums(attention)
        means = utterances.sums(attention * features) / total
        deviations = (features - utterances.spread(means)).square_().mul_(attention)
        pooled = torch.cat([means, _deviation(utterances.sums(deviations) / total)], dim=1)
        return F.linear(pooled, self.output_weight, self.output_bias)


class FrameMajorSpeakerEncoder(nn.Module):
    """Waveforms of any lengths to speaker vectors: `SpeakerEncoder` for inference."""

    def __init__(self, encoder: SpeakerEncoder, *, bfloat16: bool = False) -> None:
        super().__init__()
        self.front_end = encoder.front_end
        self.network = FrameMajorEcapa(encoder.network)
        if bfloat16:
            self.network.lower_precision()

    def forward(self, waveforms: Tensor, sample_counts: Sequence[int] | None = None) -> Tensor:
        """(batch, samples) to (batch, dimension).

        sample_counts: samples of each waveform, after which there are zeros; None: all of them.

        The short-time transform pads with zeros by itself, so zeros behind a waveform change none of its frames.
        """
        counts = sample_counts or [waveforms.shape[1]] * len(waveforms)
        utterances = Utterances([1 + count // _HOP_SAMPLES for count in counts], waveforms.device)
        bands = self.front_end(waveforms)
        rows = torch.cat([one[:frames] for one, frames in zip(bands, utterances.frame_counts, strict=True)])
        vectors: Tensor = self.network(rows - utterances.spread(utterances.means(rows)), utterances)
        return vectors


def _tdnn(block: Any) -> FrameConvolution:
    return FrameConvolution(block.conv.conv, block.norm.norm)


def _deviation(variances: Tensor) -> Tensor:
    return variances.clamp(min=_VARIANCE_FLOOR).sqrt()


def _scale_and_shift(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """What a batch norm multiplies by and adds in evaluation mode: (channels,) each."""
    assert norm.running_mean is not None, "SpeechBrain's norms keep running statistics"
    assert norm.running_var is not None, "SpeechBrain's norms keep running statistics"
    scale = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias.detach() - norm.running_mean * scale
