"""MFV-KSD's speaker encoder: an ECAPA-TDNN with its own mel front end; a waveform in, one speaker vector out.

Desplanques, Thienpondt, Demuynck, "ECAPA-TDNN: Emphasized Channel Attention, Propagation and Aggregation in TDNN
Based Speaker Verification", Interspeech 2020; Tao et al., "Multi-Stage Face-Voice Association Learning with Keynote
Speaker Diarization", ACM Multimedia 2024. It is another network than SpeechBrain's of the same name: pre-emphasis
and hamming windows before the mel bands, zeros at the edges instead of mirrored frames, blocks that read the sum of
all former outputs, an unbiased deviation in the attention's context, and a normalised output. Modules are named as
in the published state dict.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

SAMPLE_RATE_HZ = 16_000
DIMENSION = 192
_MEL_BANDS = 80
_CHANNELS = 1024
_POOLED_CHANNELS = 1536
_BOTTLENECK = 128
_ATTENTION_CHANNELS = 256
_GROUPS = 8
_PRE_EMPHASIS = 0.97
_LOG_FLOOR = 1e-6
_VARIANCE_FLOOR = 1e-4


class PreEmphasis(nn.Module):
    """y[t] = x[t] - 0.97 x[t - 1]; the sample before the first is the second one, mirrored."""

    flipped_filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("flipped_filter", torch.tensor([[[-_PRE_EMPHASIS, 1.0]]]))

    def forward(self, waveforms: Tensor) -> Tensor:
        """(batch, samples) to (batch, samples)."""
        padded = F.pad(waveforms[:, None], (1, 0), mode="reflect")
        return F.conv1d(padded, self.flipped_filter)[:, 0]


class SqueezeExcitation(nn.Module):
    """Channels weighted by a gate that reads their means over time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool1d(1),
            nn.Conv1d(channels, _BOTTLENECK, 1),
            nn.ReLU(),
            nn.Conv1d(_BOTTLENECK, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels, frames) to the same."""
        gate: Tensor = self.se(hidden)
        return hidden * gate


class Res2Block(nn.Module):
    """Res2Net block with squeeze-excitation: each group of channels but the last is convolved, fed with the former one."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        width, convolved = channels // _GROUPS, _GROUPS - 1
        self.conv1 = nn.Conv1d(channels, channels, 1)
        self.bn1 = nn.BatchNorm1d(channels)
        self.convs = nn.ModuleList(
            nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation) for _ in range(convolved)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(convolved))
        self.conv3 = nn.Conv1d(channels, channels, 1)
        self.bn3 = nn.BatchNorm1d(channels)
        self.se = SqueezeExcitation(channels)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels, frames) to the same."""
        *groups, last = self.bn1(F.relu(self.conv1(hidden))).chunk(_GROUPS, dim=1)
        outputs: list[Tensor] = []
        for group, convolution, norm in zip(groups, self.convs, self.bns, strict=True):
            entry = group + outputs[-1] if outputs else group
            outputs.append(norm(F.relu(convolution(entry))))
        joined = torch.cat([*outputs, last], dim=1)
        gated: Tensor = self.se(self.bn3(F.relu(self.conv3(joined))))
        return gated + hidden


class MfvSpeakerEncoder(nn.Module):
    """Log mel bands, minus their mean over the utterance, through MFV-KSD's ECAPA-TDNN of 1024 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.torchfbank = nn.Sequential(
            PreEmphasis(),
            MelSpectrogram(
                sample_rate=SAMPLE_RATE_HZ,
                n_fft=512,
                win_length=400,
                hop_length=160,
                f_min=20.0,
                f_max=7600.0,
                window_fn=torch.hamming_window,
                n_mels=_MEL_BANDS,
            ),
        )
        self.conv1 = nn.Conv1d(_MEL_BANDS, _CHANNELS, 5, padding=2)
        self.bn1 = nn.BatchNorm1d(_CHANNELS)
        self.layer1 = Res2Block(_CHANNELS, dilation=2)
        self.layer2 = Res2Block(_CHANNELS, dilation=3)
        self.layer3 = Res2Block(_CHANNELS, dilation=4)
        self.layer4 = nn.Conv1d(3 * _CHANNELS, _POOLED_CHANNELS, 1)
        self.attention = nn.Sequential(
            nn.Conv1d(3 * _POOLED_CHANNELS, _ATTENTION_CHANNELS, 1),
            nn.ReLU(),
            nn.BatchNorm1d(_ATTENTION_CHANNELS),
            nn.Tanh(),
            nn.Conv1d(_ATTENTION_CHANNELS, _POOLED_CHANNELS, 1),
            nn.Softmax(dim=2),
        )
        self.bn5 = nn.BatchNorm1d(2 * _POOLED_CHANNELS)
        self.fc6 = nn.Linear(2 * _POOLED_CHANNELS, DIMENSION)
        self.bn6 = nn.BatchNorm1d(DIMENSION)

    def mel_bands(self, waveforms: Tensor) -> Tensor:
        """Log mel bands without their mean over time: (batch, samples) to (batch, bands, frames).

        In float32 whatever the autocast: the logarithm of quiet bands needs it.
        """
        with torch.autocast(waveforms.device.type, enabled=False):
            bands = (self.torchfbank(waveforms.float()) + _LOG_FLOOR).log()
            centred: Tensor = bands - bands.mean(dim=2, keepdim=True)
        return centred

    def forward(self, waveforms: Tensor) -> Tensor:
        """Speaker vectors of waveforms at 16 kHz: (batch, samples) float to (batch, 192)."""
        first = self.bn1(F.relu(self.conv1(self.mel_bands(waveforms))))
        second = self.layer1(first)
        third = self.layer2(first + second)
        fourth = self.layer3(first + second + third)
        features = F.relu(self.layer4(torch.cat([second, third, fourth], dim=1)))
        vectors: Tensor = self.bn6(self.fc6(self.bn5(self._pool(features))))
        return vectors

    def _pool(self, features: Tensor) -> Tensor:
        # Attentive statistics (Okabe et al., 2018), with the utterance's mean and deviation as context.
        deviation = features.var(dim=2, keepdim=True).clamp(min=_VARIANCE_FLOOR).sqrt()
        mean = features.mean(dim=2, keepdim=True)
        context = torch.cat([features, mean.expand_as(features), deviation.expand_as(features)], dim=1)
        shares = self.attention(context)
        weighted_mean = (features * shares).sum(dim=2)
        weighted_variance = (features.square() * shares).sum(dim=2) - weighted_mean.square()
        return torch.cat([weighted_mean, weighted_variance.clamp(min=_VARIANCE_FLOOR).sqrt()], dim=1)
