"""ECAPA-TDNN: a waveform in, one speaker vector out.

Desplanques, Thienpondt, Demuynck, "ECAPA-TDNN: Emphasized Channel Attention, Propagation and Aggregation
in TDNN Based Speaker Verification", Interspeech 2020. The network and its mel front end are SpeechBrain's
classes, in the arrangement of its recipe `spkrec-ecapa-voxceleb`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from src.core.config import STRICT
from src.models.speechbrain_classes import ECAPA_TDNN, Fbank

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, kw_only=True)
class SpeakerEncoderConfig:
    """Widths of an ECAPA-TDNN. The defaults are the published ones of spkrec-ecapa-voxceleb.

    mel_bands: number of mel bands of the front end.
    channels: width of the five convolutional blocks.
    kernel_sizes, dilations: of the same blocks, in frames of 10 ms.
    attention_channels: bottleneck of the attentive statistics pooling.
    squeeze_channels: bottleneck of the squeeze-excitation blocks.
    res2net_scale: groups that a block's channels are split into.
    dimension: length of the speaker vector.
    """

    __pydantic_config__ = STRICT

    mel_bands: int = 80
    channels: tuple[int, int, int, int, int] = (1024, 1024, 1024, 1024, 3072)
    kernel_sizes: tuple[int, int, int, int, int] = (5, 3, 3, 3, 1)
    dilations: tuple[int, int, int, int, int] = (1, 2, 3, 4, 1)
    attention_channels: int = 128
    squeeze_channels: int = 128
    res2net_scale: int = 8
    dimension: int = 192

    def __post_init__(self) -> None:
        if min(self.mel_bands, self.dimension, self.attention_channels, self.squeeze_channels) < 1:
            raise ValueError("every width of a speaker encoder must be at least 1")
        if any(width % self.res2net_scale for width in self.channels[1:4]):
            raise ValueError(
                f"channels {self.channels[1:4]} cannot be split into res2net_scale={self.res2net_scale} groups"
            )


PUBLISHED_ECAPA = SpeakerEncoderConfig()


class SpeakerEncoder(nn.Module):
    """Log mel bands, minus their mean over the utterance, through an ECAPA-TDNN.

    All waveforms of a batch have one length and every sample of them counts: zero padding would move the
    mean, the squeeze-excitation and the attentive pooling, so there is no such thing here.
    """

    def __init__(self, config: SpeakerEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.front_end = Fbank(sample_rate=SAMPLE_RATE_HZ, n_mels=config.mel_bands)
        self.network = ECAPA_TDNN(
            config.mel_bands,
            channels=list(config.channels),
            kernel_sizes=list(config.kernel_sizes),
            dilations=list(config.dilations),
            attention_channels=config.attention_channels,
            se_channels=config.squeeze_channels,
            res2net_scale=config.res2net_scale,
            lin_neurons=config.dimension,
        )

    def mel_bands(self, waveforms: Tensor) -> Tensor:
        """Log mel bands without their mean over time: (batch, samples) to (batch, frames, bands).

        In float32 whatever the autocast: the decibels of quiet bands need it.
        """
        with torch.autocast(waveforms.device.type, enabled=False):
            bands = self.front_end(waveforms.float())
            centred: Tensor = bands - bands.mean(dim=1, keepdim=True)
        return centred

    def embed_mel_bands(self, bands: Tensor) -> Tensor:
        """Speaker vectors of mel bands: (batch, frames, bands) to (batch, dimension)."""
        vectors: Tensor = self.network(bands)
        return vectors.squeeze(1)

    def frame_features(self, bands: Tensor) -> Tensor:
        """What the network knows of each frame before it pools: (batch, frames, bands) to (batch, frames, channels)."""
        blocks, hidden = [], bands.transpose(1, 2)
        for block in self.network.blocks:
            hidden = block(hidden)
            blocks.append(hidden)
        features: Tensor = self.network.mfa(torch.cat(blocks[1:], dim=1))
        return features.transpose(1, 2)

    def pool(self, features: Tensor) -> Tensor:
        """Speaker vectors of frame features: (batch, frames, channels) to (batch, dimension).

        With `frame_features` before it, it is `embed_mel_bands`; a stretch of the frames alone gives a local vector.
        """
        pooled = self.network.asp_bn(self.network.asp(features.transpose(1, 2)))
        vectors: Tensor = self.network.fc(pooled)
        return vectors.squeeze(2)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Speaker vectors of waveforms at 16 kHz: (batch, samples) float to (batch, dimension)."""
        return self.embed_mel_bands(self.mel_bands(waveforms))
