"""Voice activity: the probability that somebody speaks, frame by frame, and the stretches of speech.

The network is Silero VAD (Silero Team, https://github.com/snakers4/silero-vad, MIT licence) with the
weights that its wheel carries. Its own runners step through a recording chunk by chunk; here the
convolutions see all chunks of several recordings at once and only the recurrence runs along time, which
gives the same probabilities many times faster.
"""

import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt
from torch import Tensor, nn
from torch.nn import functional as F

from preprocessing.conditioning import level_gain
from preprocessing.speech_settings import VoiceActivitySettings
from src.core.errors import WeightsError
from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, drop_short, fill_gaps, frame_count, frames_of

CHUNK_SAMPLES = 512
_CONTEXT_SAMPLES, _WINDOW_SAMPLES, _STRIDE_SAMPLES = 64, 256, 128
_BINS = _WINDOW_SAMPLES // 2 + 1
_CHUNKS_AT_ONCE = 2048  # of all waveforms of a batch; bounds the memory of long recordings
_CHUNKS_IN_BATCH = 20_000  # of a batch from its beginning to its end, padded
_FRAMES_AT_ONCE = 6000  # whose energies are computed together
LstmState = tuple[Tensor, Tensor]

_SPEECH_BAND = butter(2, [200, 4000], btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos")
_LOUD_PERCENTILE = 90.0
_SMALLEST_ENERGY = 1e-10
_PUBLISHED_NAMES = {
    "stft_conv.weight": "stft.forward_basis_buffer",
    **{
        f"conv{layer}.{part}": f"encoder.{layer - 1}.reparam_conv.{part}"
        for layer in (1, 2, 3, 4)
        for part in ("weight", "bias")
    },
    **{f"lstm.{part}_l0": f"decoder.rnn.{part}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    "final_conv.weight": "decoder.decoder.2.weight",
    "final_conv.bias": "decoder.decoder.2.bias",
}


class SileroNetwork(nn.Module):
    """Silero VAD at 16 kHz: waveforms in, one speech probability every 32 ms out."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, _WINDOW_SAMPLES, stride=_STRIDE_SAMPLES, bias=False)
        self.conv1 = nn.Conv1d(_BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, waveforms: Tensor, state: LstmState | None = None) -> tuple[Tensor, LstmState]:
        """(batch, 64 + chunks × 512), the first 64 samples being those before, to probabilities (batch, chunks).

        state: what the call for the samples before returned; None at the beginning.
        """
        chunks = waveforms.unfold(1, _CONTEXT_SAMPLES + CHUNK_SAMPLES, CHUNK_SAMPLES)
        encoded = self._encode(chunks.flatten(0, 1)).unflatten(0, (len(waveforms), -1))
        hidden, state = self.lstm(encoded, state)
        logits = self.final_conv(hidden.relu().transpose(1, 2))
        return logits.squeeze(1).sigmoid(), state

    def _encode(self, chunks: Tensor) -> Tensor:
        """(chunks, 576) to (chunks, 128): magnitude spectra through four convolutions."""
        padded = F.pad(chunks.unsqueeze(1), (0, _CONTEXT_SAMPLES), mode="reflect")
        spectra = self.stft_conv(padded)
        magnitudes = (spectra[:, :_BINS] ** 2 + spectra[:, _BINS:] ** 2).sqrt()
        encoded = self.conv1(magnitudes).relu()
        for layer in (self.conv2, self.conv3, self.conv4):
            encoded = layer(encoded).relu()
        return encoded.squeeze(-1)


def load_silero(device: torch.device) -> SileroNetwork:
    """The network with the weights of the installed package. Raises WeightsError when it has none.

    The package itself is not imported: doing so sets the number of threads of the whole process.
    """
    package = importlib.util.find_spec("silero_vad")
    folder = Path(package.origin).parent if package and package.origin else Path("silero_vad")
    path = folder / "data" / "silero_vad.jit"
    if not path.is_file():
        raise WeightsError(
            f"{path}: the weights of the voice activity network are missing. "
            "They come with the package silero-vad 6: pip install -r requirements.txt"
        )
    with warnings.catch_warnings():
        # only the weights are taken out of the file: nothing of TorchScript runs here
        warnings.simplefilter("ignore", DeprecationWarning)
        published = torch.jit.load(str(path), map_location="cpu").state_dict()
    network = SileroNetwork()
    network.load_state_dict({own: published[f"_model.{theirs}"] for own, theirs in _PUBLISHED_NAMES.items()})
    return network.eval().to(device)


@torch.inference_mode()
def speech_probabilities(
    network: SileroNetwork, waveforms: Sequence[np.ndarray], gains: Sequence[float] | None = None
) -> list[np.ndarray]:
    """Speech probability of each 32 ms chunk of each waveform (samples,) at 16 kHz: (ceil(samples / 512),).

    Waveforms of about one length go through the network together, a block of chunks at a time; what is shorter
    is continued by zeros, which its own chunks never see.

    gains: what each waveform is multiplied with before the network hears it.
    """
    gains = gains or [1.0] * len(waveforms)
    chunk_counts = [-(-len(waveform) // CHUNK_SAMPLES) for waveform in waveforms]
    probabilities = [np.zeros(count, np.float32) for count in chunk_counts]
    device = next(network.parameters()).device
    for places in _batches(chunk_counts):
        state, chunks_at_once = None, max(1, _CHUNKS_AT_ONCE // len(places))
        for first in range(0, chunk_counts[places[-1]], chunks_at_once):
            last = min(first + chunks_at_once, chunk_counts[places[-1]])
            block = np.zeros((len(places), _CONTEXT_SAMPLES + (last - first) * CHUNK_SAMPLES), np.float32)
            for row, place in zip(block, places, strict=True):
                heard = _cut(waveforms[place], first * CHUNK_SAMPLES - _CONTEXT_SAMPLES, len(row), row)
                np.multiply(heard, np.float32(gains[place]), out=heard)
            found, state = network(torch.from_numpy(block).to(device), state)
            for row, place in zip(found.cpu().numpy(), places, strict=True):
                own = probabilities[place][first:last]
                own[:] = row[: len(own)]
    return probabilities


def _cut(waveform: np.ndarray, start: int, length: int, out: np.ndarray) -> np.ndarray:
    """Put waveform[start : start + length], where there is any of it, into its place in `out`; that place."""
    first, last = max(start, 0), max(0, min(start + length, len(waveform)))
    place = out[first - start : max(first, last) - start]
    place[:] = waveform[first : max(first, last)]
    return place


def _batches(chunk_counts: Sequence[int]) -> Iterator[list[int]]:
    """Places of waveforms in order of length, so many at a time that they fill a batch when padded."""
    batch: list[int] = []
    for place in sorted(range(len(chunk_counts)), key=chunk_counts.__getitem__):
        if batch and (len(batch) + 1) * chunk_counts[place] > _CHUNKS_IN_BATCH:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


class SpeechFinder:
    """Frames in which somebody speaks, of several recordings together."""

    def __init__(self, network: SileroNetwork, settings: VoiceActivitySettings) -> None:
        self.network = network
        self.settings = settings

    def __call__(self, recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Recordings (samples,) at 16 kHz to masks (frames,)."""
        gains = [level_gain(samples, self.settings.level_db, peak_db=0) for samples in recordings]
        probabilities = speech_probabilities(self.network, recordings, gains)
        return [
            find_speech(samples, found, self.settings, gain)
            for samples, found, gain in zip(recordings, probabilities, gains, strict=True)
        ]


def find_speech(
    samples: np.ndarray, probabilities: np.ndarray, settings: VoiceActivitySettings, gain: float = 1.0
) -> np.ndarray:
    """Frames in which somebody speaks: samples (samples,) and `speech_probabilities` to a mask (frames,).

    gain: what the samples are multiplied with first.
    """
    frames = frame_count(len(samples))
    middles = np.arange(frames) * FRAME_SAMPLES + FRAME_SAMPLES // 2
    likely = (
        probabilities[np.minimum(middles // CHUNK_SAMPLES, len(probabilities) - 1)] >= settings.probability
    )
    energies = frame_energies_db(samples, settings.smoothing_seconds, gain)
    wanted_db = np.percentile(energies, settings.floor_percentile) + settings.margin_db
    most_wanted_db = np.percentile(energies, _LOUD_PERCENTILE) - settings.headroom_db
    speech = likely & (energies > min(wanted_db, most_wanted_db))
    return drop_short(
        fill_gaps(speech, frames_of(settings.longest_gap_seconds)),
        frames_of(settings.shortest_speech_seconds),
    )


def frame_energies_db(samples: np.ndarray, smoothing_seconds: float, gain: float = 1.0) -> np.ndarray:
    """Energy of every 10 ms frame in the band of speech (200 to 4000 Hz), dB of full scale: (frames,).

    The last frame, where it is cut short, counts as if it went on at its last value. gain: as `find_speech` has it.
    """
    energies = np.zeros(frame_count(len(samples)))
    state = np.zeros((len(_SPEECH_BAND), 2))
    for first in range(0, len(energies), _FRAMES_AT_ONCE):
        block = samples[first * FRAME_SAMPLES : (first + _FRAMES_AT_ONCE) * FRAME_SAMPLES].astype(np.float32)
        filtered, state = sosfilt(_SPEECH_BAND, block * gain, zi=state)
        squares = np.pad(filtered**2, (0, -len(block) % FRAME_SAMPLES), mode="edge")
        energies[first : first + _FRAMES_AT_ONCE] = squares.reshape(-1, FRAME_SAMPLES).mean(axis=1)
    smoothed = uniform_filter1d(energies, max(1, frames_of(smoothing_seconds)))
    return np.asarray(10 * np.log10(np.maximum(smoothed, 0) + _SMALLEST_ENERGY))
