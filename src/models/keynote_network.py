"""The keynote network: it reads a whole conversation and marks, frame by frame, the speech of one person.

After the keynote speaker diarization of the winner of FAME 2024 ("Multi-stage Face-Voice Association Learning
with Keynote Speaker Diarization", ACM MM 2024, arXiv:2407.17902), of which no code is published: a transformer over
what a speaker encoder says of each tenth of a second. Asked without a prompt it marks whoever talks most; prompted with a
speaker vector, it marks that speaker, as target-speaker voice activity detection does (Medennikov et al.,
Interspeech 2020).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from src.core.config import STRICT
from src.models.speaker_encoder import SpeakerEncoder

FRAMES_PER_TOKEN = 10
_POOLED_FRAMES = 100  # a local speaker vector is of one second
_POOLED_STEP = 10  # the features of neighbouring frames are nearly equal: every tenth is enough


@dataclass(frozen=True, kw_only=True)
class KeynoteNetworkConfig:
    """Sizes of the network.

    width: of the transformer. layers, heads: of the transformer. detail_channels: of the convolutions that set
    the borders of turns to the frame. dropout: of the transformer.
    """

    __pydantic_config__ = STRICT

    width: int = 128
    layers: int = 4
    heads: int = 4
    detail_channels: int = 64
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads, self.detail_channels) < 1 or self.width % (
            2 * self.heads
        ):
            raise ValueError(
                f"width={self.width} must be a multiple of twice heads={self.heads}, all at least 1"
            )


@dataclass(frozen=True)
class ConversationFeatures:
    """What the network reads of a batch of conversations.

    bands: log mel bands of each frame (batch, frames, bands). tokens: features of the speaker encoder, ten
    frames a token (batch, tokens, channels). vectors: local speaker vectors of unit length (batch, tokens, dimension).
    frames = 10 × tokens.
    """

    bands: Tensor
    tokens: Tensor
    vectors: Tensor

    def to(self, device: torch.device) -> "ConversationFeatures":
        """The same on another device."""
        return ConversationFeatures(self.bands.to(device), self.tokens.to(device), self.vectors.to(device))


def conversation_features(encoder: SpeakerEncoder, waveforms: Tensor) -> ConversationFeatures:
    """Features of conversations: (batch, samples) at 16 kHz; frames are 10 ms, an unfinished token is left out."""
    bands = encoder.mel_bands(waveforms)
    frames = bands.shape[1] // FRAMES_PER_TOKEN * FRAMES_PER_TOKEN
    bands = bands[:, :frames]
    features = encoder.frame_features(bands)
    tokens = F.avg_pool1d(features.transpose(1, 2), FRAMES_PER_TOKEN).transpose(1, 2)
    return ConversationFeatures(bands, tokens, _local_vectors(encoder, features))


def _local_vectors(encoder: SpeakerEncoder, features: Tensor) -> Tensor:
    """A unit speaker vector of the second around each token: (batch, frames, channels) to (batch, tokens, dimension)."""
    batch, _, channels = features.shape
    margin = (_POOLED_FRAMES - FRAMES_PER_TOKEN) // 2
    padded = F.pad(features.transpose(1, 2), (margin, margin), mode="replicate")
    windows = padded.unfold(2, _POOLED_FRAMES, FRAMES_PER_TOKEN)[..., ::_POOLED_STEP]
    stretches = windows.permute(0, 2, 3, 1).reshape(-1, windows.shape[-1], channels)
    return F.normalize(encoder.pool(stretches), dim=1).view(batch, -1, encoder.config.dimension)


class KeynoteNetwork(nn.Module):
    """Marks one speaker of a conversation, and everybody else.

    bands, channels, dimension: of the features (see ConversationFeatures).
    """

    def __init__(self, config: KeynoteNetworkConfig, *, bands: int, channels: int, dimension: int) -> None:
        super().__init__()
        self.config = config
        self.from_tokens = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, config.width))
        self.from_vectors = nn.Linear(dimension, config.width)
        self.from_prompt = nn.Linear(dimension, config.width)
        self.from_similarity = nn.Linear(1, config.width)
        self.unprompted = nn.Parameter(torch.zeros(config.width))
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.heads,
            dim_feedforward=2 * config.width,
            dropout=config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.transformer = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.detail = nn.Conv1d(bands, config.detail_channels, 5, padding=2)
        self.to_detail = nn.Linear(config.width, config.detail_channels)
        self.join = nn.Conv1d(config.detail_channels, config.detail_channels, 5, padding=2)
        self.mark = nn.Conv1d(config.detail_channels, 2, 5, padding=2)

    def forward(self, features: ConversationFeatures, prompts: Tensor) -> Tensor:
        """Logits (batch, frames, 2) that the marked speaker speaks, and that anybody else does.

        prompts: unit vectors of whom to mark (batch, dimension); all zeros for whoever talks most.
        """
        states = self.token_states(features.tokens, features.vectors)
        return self.mark_frames(features.bands, states, features.vectors, prompts)

    def token_states(self, tokens: Tensor, vectors: Tensor) -> Tensor:
        """What does not depend on whom to mark: (batch, tokens, width); arguments as in ConversationFeatures."""
        states: Tensor = self.from_tokens(tokens) + self.from_vectors(vectors * math.sqrt(vectors.shape[2]))
        return states

    def mark_frames(self, bands: Tensor, states: Tensor, vectors: Tensor, prompts: Tensor) -> Tensor:
        """`forward` from `token_states` on."""
        prompted = prompts.square().sum(dim=1, keepdim=True) > 0
        similarity = (vectors @ prompts.unsqueeze(2)).clamp(-1, 1)
        request = torch.where(prompted, self.from_prompt(prompts), self.unprompted)
        hidden = states + prompted.unsqueeze(2) * self.from_similarity(similarity) + request.unsqueeze(1)
        hidden = self.transformer(hidden + _positions(hidden.shape[1], hidden.shape[2], hidden.device))
        context = self.to_detail(hidden).repeat_interleave(FRAMES_PER_TOKEN, dim=1).transpose(1, 2)
        detail = F.gelu(self.detail(bands.transpose(1, 2) / 20))  # decibels to numbers about 1
        marks: Tensor = self.mark(F.gelu(self.join(detail + context)))
        return marks.transpose(1, 2)


def _positions(length: int, width: int, device: torch.device) -> Tensor:
    """Sinusoidal positions (length, width); Vaswani et al., "Attention is all you need", 2017, section 3.5."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angles = torch.arange(length, device=device).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
