"""Clean recordings → tokens: the vector of the whole utterance and those of its sliding windows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from features.records import CleanMedium, MediumTokens, part_tables
from features.settings import TokenSettings
from src.artifacts.embedding_store import WHOLE, WINDOW
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.stage import PartTables, PartWorker
from src.encoders.contract import Encoder, WaveformInput
from src.encoders.registry import load_encoder
from src.media.audio import read_audio

TOO_SHORT = "too_short"


def make_voice_worker(
    settings: TokenSettings, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[CleanMedium]:
    """The worker of the voice half, with its encoder loaded; called once in each process."""
    return VoiceTokenWorker(settings, work, load_encoder(encoder_name, choose_device(device), weights))


class VoiceTokenWorker:
    """Embeds the recordings of one part.

    Nothing is padded, since padding changes the vectors: windows have one length and share batches, whole
    utterances share a batch only with others of their length.
    """

    def __init__(self, settings: TokenSettings, work: Path, encoder: Encoder) -> None:
        assert isinstance(encoder.input, WaveformInput), f"{encoder.name} is not a voice encoder"
        self.settings = settings
        self.work = work
        self.encoder = encoder
        self.sample_rate_hz = encoder.input.sample_rate_hz
        self.shortest_samples = encoder.input.shortest_samples

    def __call__(self, media: Sequence[CleanMedium]) -> PartTables:
        """Process one part; a recording that cannot be embedded becomes a row with its reason."""
        recordings: dict[int, np.ndarray] = {}
        reasons: dict[int, str] = {}
        for place, medium in enumerate(media):
            samples, reasons[place] = self._read(medium)
            if not reasons[place]:
                recordings[place] = samples
        pieces = {place: [samples, *self._windows(samples)] for place, samples in recordings.items()}
        vectors = iter(self._embed([piece for place in pieces for piece in pieces[place]]))
        results = []
        for place, medium in enumerate(media):
            if reasons[place]:
                results.append(MediumTokens(medium=medium, reason=reasons[place]))
                continue
            own = pieces[place]
            results.append(
                MediumTokens(
                    medium=medium,
                    kinds=[WHOLE] + [WINDOW] * (len(own) - 1),
                    vectors=np.stack([next(vectors) for _ in own]),
                    qualities=[len(piece) / self.sample_rate_hz for piece in own],
                )
            )
        return part_tables(results, self.encoder.dimension)

    def _read(self, medium: CleanMedium) -> tuple[np.ndarray, str]:
        """Samples, or the reason why there are none."""
        nothing = np.empty(0, np.float32)
        if medium.reason:
            return nothing, medium.reason
        try:
            samples = read_audio(self.work / medium.output, self.sample_rate_hz)
        except MediaError as error:
            return nothing, error.reason
        return samples, TOO_SHORT if len(samples) < self.shortest_samples else ""

    def _windows(self, samples: np.ndarray) -> list[np.ndarray]:
        """Full windows only; none where the recording is no longer than one."""
        window = round(self.settings.window_seconds * self.sample_rate_hz)
        hop = round(self.settings.hop_seconds * self.sample_rate_hz)
        if len(samples) <= window:
            return []
        starts = np.arange(0, len(samples) - window + 1, hop)
        if len(starts) > self.settings.most_windows:
            starts = starts[np.linspace(0, len(starts) - 1, self.settings.most_windows).round().astype(int)]
        return [samples[start : start + window] for start in starts]

    def _embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        """Vectors of pieces of any lengths, in their order, float32 (pieces, dimension)."""
        vectors = np.empty((len(pieces), self.encoder.dimension), np.float32)
        lengths = np.array([len(piece) for piece in pieces])
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            for first in range(0, len(places), self.settings.batch_windows):
                batch = places[first : first + self.settings.batch_windows]
                waveforms = torch.from_numpy(np.stack([pieces[place] for place in batch]))
                vectors[batch] = self.encoder.embed(waveforms).numpy()
        return vectors
