"""Clean recordings → tokens: the vector of the whole utterance and those of its sliding windows."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from features.batching import duration_batches, one_thread, read_ahead, reading_threads, with_batch_sizes
from features.records import MediumTokens, part_tables
from features.settings import TokenSettings
from src.artifacts.clean_media import CleanMedium
from src.artifacts.embedding_store import WHOLE, WINDOW
from src.artifacts.voice_windows import whole_pieces, window_starts
from src.core.device import choose_device
from src.core.errors import MediaError
from src.core.files import path_below
from src.core.stage import PartTables, PartWorker
from src.encoders.contract import Batch, Encoder, WaveformInput
from src.encoders.registry import load_encoder
from src.media.guarded import read_audio

TOO_SHORT = "too_short"
_HELD_SECONDS = 1200.0  # of decoded speech in memory; batches are made within it


def make_voice_worker(
    settings: TokenSettings, work: Path, encoder_name: str, weights: Path | None, device: str
) -> PartWorker[CleanMedium]:
    """The worker of the voice half, with its encoder loaded; called once in each process."""
    encoder = load_encoder(encoder_name, choose_device(device), weights)
    return VoiceTokenWorker(settings, work, encoder.for_inference(settings.precision))


class VoiceTokenWorker:
    """Embeds the recordings of one part.

    Windows and whole utterances of several recordings share batches, by total duration. Where padding would change
    the vectors of an encoder, those of one batch have one length.
    """

    def __init__(self, settings: TokenSettings, work: Path, encoder: Encoder) -> None:
        assert isinstance(encoder.input, WaveformInput), f"{encoder.name} is not a voice encoder"
        self.settings = with_batch_sizes(settings, encoder.device)
        self.work = work
        self.encoder = encoder
        self.sample_rate_hz = encoder.input.sample_rate_hz
        self.shortest_samples = encoder.input.shortest_samples
        self.longest_samples = round(self.settings.longest_whole_seconds * self.sample_rate_hz)

    def __call__(self, media: Sequence[CleanMedium]) -> PartTables:
        """Process one part; a recording that cannot be embedded becomes a row with its reason."""
        results: list[MediumTokens] = []
        with one_thread(self.encoder.device):
            for held in self._held(media):
                results.extend(self._embed(held))
        return part_tables(results, self.encoder.dimension)

    def _held(self, media: Sequence[CleanMedium]) -> Iterator[list[tuple[CleanMedium, np.ndarray, str]]]:
        """Media with their samples and reasons, as many at a time as memory should hold."""
        held: list[tuple[CleanMedium, np.ndarray, str]] = []
        samples_held = 0
        decoded = read_ahead(self._read, media, reading_threads(self.encoder.device))
        for medium, (samples, reason) in zip(media, decoded, strict=True):
            held.append((medium, samples, reason))
            samples_held += len(samples)
            if samples_held >= _HELD_SECONDS * self.sample_rate_hz:
                yield held
                held, samples_held = [], 0
        yield held

    def _read(self, medium: CleanMedium) -> tuple[np.ndarray, str]:
        """Samples, or the reason why there are none."""
        nothing = np.empty(0, np.float32)
        if medium.reason:
            return nothing, medium.reason
        try:
            samples = read_audio(path_below(self.work, medium.output), self.sample_rate_hz)
        except MediaError as error:
            return nothing, error.reason
        return (samples, "") if len(samples) >= self.shortest_samples else (nothing, TOO_SHORT)

    def _embed(self, held: Sequence[tuple[CleanMedium, np.ndarray, str]]) -> Iterator[MediumTokens]:
        pieces = [
            [] if reason else [*self._whole(samples), *self._windows(samples)] for _, samples, reason in held
        ]
        assert self.settings.batch_seconds is not None, "chosen in the constructor"
        speech = [piece for own in pieces for piece in own]
        vectors = iter(embed_pieces(self.encoder, speech, self.settings.batch_seconds))
        for medium, samples, reason in held:
            if reason:
                yield MediumTokens(medium=medium, reason=reason)
                continue
            whole = np.mean(list(islice(vectors, len(self._whole(samples)))), axis=0, dtype=np.float32)
            windows = self._windows(samples)
            yield MediumTokens(
                medium=medium,
                kinds=[WHOLE] + [WINDOW] * len(windows),
                vectors=np.stack([whole, *islice(vectors, len(windows))]),
                qualities=[len(piece) / self.sample_rate_hz for piece in (samples, *windows)],
            )

    def _whole(self, samples: np.ndarray) -> list[np.ndarray]:
        """The recording in one piece, or in equal ones where it is too long for that."""
        return np.array_split(samples, whole_pieces(len(samples), self.longest_samples))

    def _windows(self, samples: np.ndarray) -> list[np.ndarray]:
        window = round(self.settings.window_seconds * self.sample_rate_hz)
        hop = round(self.settings.hop_seconds * self.sample_rate_hz)
        starts = window_starts(len(samples), window, hop, self.settings.most_windows)
        return [samples[start : start + window] for start in starts]


def embed_pieces(encoder: Encoder, pieces: Sequence[np.ndarray], batch_seconds: float) -> np.ndarray:
    """Vectors of speech of any lengths, in its order, float32 (pieces, dimension); `batch_seconds` of it at once."""
    assert isinstance(encoder.input, WaveformInput), f"{encoder.name} is not a voice encoder"
    vectors = np.empty((len(pieces), encoder.dimension), np.float32)
    most_samples = round(batch_seconds * encoder.input.sample_rate_hz)
    lengths = [len(piece) for piece in pieces]
    batches = list(duration_batches(lengths, most_samples, mixes_lengths=encoder.mixes_lengths))
    made = (_batch([pieces[place] for place in places]) for places in batches)
    for places, embedded in zip(batches, encoder.embed_each(made), strict=True):
        vectors[places] = embedded.numpy()
    return vectors


def _batch(pieces: Sequence[np.ndarray]) -> Batch:
    counts = [len(piece) for piece in pieces]
    waveforms = torch.zeros(len(pieces), max(counts))
    for row, piece in zip(waveforms, pieces, strict=True):
        row[: len(piece)] = torch.from_numpy(piece)
    return Batch(media=waveforms, sample_counts=counts if len(set(counts)) > 1 else None)
