"""What happens to speech in the wild, done to a batch of clean crops at once.

Room, noise, band, clipping, noise suppression and level, each with a probability of its own. All of it is a
few Fourier transforms over the batch, so it costs little beside the network.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from src.core.config import STRICT

SAMPLE_RATE_HZ = 16_000
_PROBABILITIES = (
    "room_probability",
    "noise_probability",
    "babble_share",
    "band_probability",
    "clip_probability",
    "suppression_probability",
    "gap_probability",
    "notch_probability",
)
_FRAME_SAMPLES, _HOP_SAMPLES = 512, 128
_MOST_GAPS, _MOST_NOTCHES = 4, 3
_QUIET_SHARE = 0.1  # of the frames: they are taken for noise


@dataclass(frozen=True, kw_only=True)
class SpeechAugmentationConfig:
    """Chances and ranges of each change.

    room_probability: chance of reverberation.
    reverberation_seconds: range of the time in which the room's sound falls by 60 dB.
    reverberation_db: range of the reverberation's energy against the direct sound.
    noise_probability: chance of noise.
    signal_to_noise_db: its range.
    babble_share: share of noise that is other speakers of the batch; the rest is white, pink or brown.
    band_probability: chance of a band limit.
    low_cut_hz, high_cut_hz: ranges of its edges.
    tilt_db_per_octave: range of the microphone's slope around 1 kHz, where the band is limited.
    clip_probability: chance of clipped peaks.
    suppression_probability: chance of a noise suppressor, as cleaned recordings have been through one.
    suppression_floor_db: range of its lowest gain.
    gap_probability: chance of stretches of silence, so that no single sound is relied on.
    gap_seconds: range of their length; there are up to four.
    notch_probability: chance of missing frequency bands, so that none is relied on.
    notch_hz: range of their width; there are up to three.
    level_db: range of the gain.
    """

    __pydantic_config__ = STRICT

    room_probability: float = 0.4
    reverberation_seconds: tuple[float, float] = (0.1, 0.6)
    reverberation_db: tuple[float, float] = (-15.0, 0.0)
    noise_probability: float = 0.6
    signal_to_noise_db: tuple[float, float] = (5.0, 25.0)
    babble_share: float = 0.4
    band_probability: float = 0.4
    low_cut_hz: tuple[float, float] = (50.0, 200.0)
    high_cut_hz: tuple[float, float] = (3400.0, 7600.0)
    tilt_db_per_octave: tuple[float, float] = (0.0, 0.0)
    clip_probability: float = 0.1
    suppression_probability: float = 0.0
    suppression_floor_db: tuple[float, float] = (-20.0, -8.0)
    gap_probability: float = 0.0
    gap_seconds: tuple[float, float] = (0.05, 0.25)
    notch_probability: float = 0.0
    notch_hz: tuple[float, float] = (100.0, 800.0)
    level_db: tuple[float, float] = (-12.0, 6.0)

    def __post_init__(self) -> None:
        for name in _PROBABILITIES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} is not between 0 and 1")


def augment_speech(
    waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator
) -> Tensor:
    """Changed copies of waveforms: (batch, samples) to the same shape and length."""
    changed = waveforms.clone()
    rooms = _chosen(len(changed), config.room_probability, stream)
    changed[rooms] = add_room(changed[rooms], config, stream)
    noisy = _chosen(len(changed), config.noise_probability, stream)
    changed[noisy] = add_noise(changed[noisy], waveforms, config, stream)
    banded = _chosen(len(changed), config.band_probability, stream)
    changed[banded] = limit_band(changed[banded], config, stream)
    clipped = _chosen(len(changed), config.clip_probability, stream)
    peaks = changed[clipped].abs().amax(dim=1, keepdim=True) * _uniform((0.2, 0.8), len(clipped), stream)
    changed[clipped] = changed[clipped].clamp(-peaks, peaks)
    cleaned = _chosen(len(changed), config.suppression_probability, stream)
    changed[cleaned] = suppress_noise(changed[cleaned], config, stream)
    notched = _chosen(len(changed), config.notch_probability, stream)
    changed[notched] = cut_notches(changed[notched], config, stream)
    broken = _chosen(len(changed), config.gap_probability, stream)
    changed[broken] = cut_gaps(changed[broken], config, stream)
    return changed * decibel_gain(_uniform(config.level_db, len(changed), stream))


def add_room(waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Convolve with the direct sound plus exponentially decaying noise (Polack's model of late reverberation)."""
    if not len(waveforms):
        return waveforms
    decay_seconds = _uniform(config.reverberation_seconds, len(waveforms), stream)
    tail_samples = int(SAMPLE_RATE_HZ * config.reverberation_seconds[1])
    time_seconds = torch.arange(1, tail_samples + 1) / SAMPLE_RATE_HZ
    tail = _white((len(waveforms), tail_samples), stream) * 10 ** (-3 * time_seconds / decay_seconds)
    tail = tail / tail.square().sum(dim=1, keepdim=True).sqrt()
    tail = tail * decibel_gain(_uniform(config.reverberation_db, len(waveforms), stream))
    response = torch.cat([torch.ones(len(waveforms), 1), tail], dim=1)
    length = _fast_length(waveforms.shape[1] + tail_samples)
    spectrum = torch.fft.rfft(waveforms, length) * torch.fft.rfft(response, length)
    return torch.fft.irfft(spectrum, length)[:, : waveforms.shape[1]]


def add_noise(
    waveforms: Tensor, others: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator
) -> Tensor:
    """Add coloured noise, or babble made of `others` (any batch of speech of the same length)."""
    if not len(waveforms):
        return waveforms
    samples = waveforms.shape[1]
    length = _fast_length(samples)
    spectrum = torch.fft.rfft(_white((len(waveforms), length), stream))
    exponents = torch.from_numpy(stream.choice([0.0, 0.5, 1.0], size=(len(waveforms), 1))).float()
    spectrum = spectrum * torch.arange(1, spectrum.shape[1] + 1).pow(-exponents)
    noise = torch.fft.irfft(spectrum, length)[:, :samples]
    for row in _chosen(len(waveforms), config.babble_share, stream).tolist():
        talkers = stream.integers(len(others), size=int(stream.integers(3, 7)))
        shifts = stream.integers(samples, size=len(talkers))
        noise[row] = torch.stack(
            [
                others[talker].roll(int(shift))
                for talker, shift in zip(talkers.tolist(), shifts.tolist(), strict=True)
            ]
        ).sum(dim=0)
    level = waveforms.square().mean(dim=1, keepdim=True).sqrt()
    noise_level = noise.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-9)
    gain = decibel_gain(-_uniform(config.signal_to_noise_db, len(waveforms), stream))
    return waveforms + noise * (level / noise_level * gain)


def limit_band(waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Band-pass (Butterworth magnitudes, zero phase) with a spectral tilt."""
    if not len(waveforms):
        return waveforms
    samples = waveforms.shape[1]
    length = _fast_length(samples)
    frequency_hz = torch.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ).clamp_min(1e-3)
    low_hz = _uniform(config.low_cut_hz, len(waveforms), stream)
    high_hz = _uniform(config.high_cut_hz, len(waveforms), stream)
    gain = 1 / torch.sqrt((1 + (low_hz / frequency_hz) ** 4) * (1 + (frequency_hz / high_hz) ** 8))
    octaves = torch.log2(frequency_hz / 1000).clamp(-4, 3)
    gain = gain * decibel_gain(octaves * _uniform(config.tilt_db_per_octave, len(waveforms), stream))
    return torch.fft.irfft(torch.fft.rfft(waveforms, length) * gain, length)[:, :samples]


def suppress_noise(
    waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator
) -> Tensor:
    """Turn down short-time spectra by the Wiener gain 1 − noise / power, no further than a floor.

    The noise spectrum is the mean of the quietest frames; the power is averaged over five frames.
    """
    if not len(waveforms):
        return waveforms
    window = torch.hann_window(_FRAME_SAMPLES, device=waveforms.device)
    spectra = torch.stft(waveforms, _FRAME_SAMPLES, _HOP_SAMPLES, window=window, return_complex=True)
    power = spectra.abs().square()
    frames = max(1, round(_QUIET_SHARE * power.shape[2]))
    quiet = power.sum(dim=1).topk(frames, dim=1, largest=False).indices
    noise = power.gather(2, quiet[:, None].expand(-1, power.shape[1], -1)).mean(dim=2, keepdim=True)
    smooth = F.avg_pool1d(power, 5, stride=1, padding=2, count_include_pad=False)
    floor = decibel_gain(_uniform(config.suppression_floor_db, len(waveforms), stream))[:, :, None]
    gain = torch.maximum(1 - noise / smooth.clamp_min(1e-12), floor)
    return torch.istft(spectra * gain, _FRAME_SAMPLES, _HOP_SAMPLES, window=window, length=waveforms.shape[1])


def cut_notches(waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Take one to three frequency bands out, up to 8 kHz."""
    if not len(waveforms):
        return waveforms
    samples = waveforms.shape[1]
    length = _fast_length(samples)
    spectra = torch.fft.rfft(waveforms, length)
    bins_per_hz = spectra.shape[1] / (SAMPLE_RATE_HZ / 2)
    for row in range(len(spectra)):
        for _ in range(int(stream.integers(1, _MOST_NOTCHES + 1))):
            width = max(1, round(stream.uniform(*config.notch_hz) * bins_per_hz))
            start = int(stream.integers(max(1, spectra.shape[1] - width)))
            spectra[row, start : start + width] = 0
    return torch.fft.irfft(spectra, length)[:, :samples]


def cut_gaps(waveforms: Tensor, config: SpeechAugmentationConfig, stream: np.random.Generator) -> Tensor:
    """Silence one to four stretches."""
    cut = waveforms.clone()
    for row in range(len(cut)):
        for _ in range(int(stream.integers(1, _MOST_GAPS + 1))):
            length = round(stream.uniform(*config.gap_seconds) * SAMPLE_RATE_HZ)
            start = int(stream.integers(max(1, cut.shape[1] - length)))
            cut[row, start : start + length] = 0
    return cut


def change_speed(waveforms: Tensor, samples: int) -> Tensor:
    """Play waveforms faster or slower: (batch, any) to (batch, samples), pitch and formants move along.

    Band-limited resampling by cutting or padding the spectrum.
    """
    source = waveforms.shape[1]
    if source == samples:
        return waveforms
    spectrum = torch.fft.rfft(waveforms)
    bins = min(spectrum.shape[1], samples // 2 + 1)
    return torch.fft.irfft(spectrum[:, :bins], samples) * (samples / source)


def decibel_gain(decibels: Tensor) -> Tensor:
    """The factor on an amplitude."""
    return torch.pow(10.0, decibels / 20)


def _chosen(count: int, probability: float, stream: np.random.Generator) -> Tensor:
    return torch.from_numpy(np.flatnonzero(stream.random(count) < probability))


def _uniform(span: tuple[float, float], count: int, stream: np.random.Generator) -> Tensor:
    return torch.from_numpy(stream.uniform(*span, size=(count, 1))).float()


def _white(shape: tuple[int, int], stream: np.random.Generator) -> Tensor:
    return torch.from_numpy(stream.standard_normal(shape, dtype=np.float32))


def _fast_length(samples: int) -> int:
    """The next multiple of 1024, so that Fourier transforms stay cheap and few lengths occur."""
    return -(-samples // 1024) * 1024
