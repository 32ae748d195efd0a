"""Speaker equal error rates of an encoder: on whole utterances, and on kept speech after each way of cleaning."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from benchmarks.keynote_measures import main_speaker, named_speakers
from preprocessing.conditioning import clean_recording, set_level
from preprocessing.keynote import join_segments
from preprocessing.speech_settings import CleaningSettings, KeynoteSettings
from src.artifacts.turns import read_turns
from src.core.polarity import score_from_similarity
from src.core.stage import read_parts
from src.data.identity_folders import AUDIO_SUFFIXES, scan_identity_folders
from src.encoders.contract import Encoder
from src.media.audio import SAMPLE_RATE_HZ, read_audio
from src.media.frames import FRAMES_PER_SECOND
from src.metrics.verification import equal_error_rate

PIECE_SECONDS = 3.0
_BATCH = 32


def read_utterances(folder: Path, names: Sequence[str] = ()) -> tuple[list[np.ndarray], list[str]]:
    """All utterances of a folder of speakers, or of those of these names, and who speaks in each."""
    found = scan_identity_folders([folder], AUDIO_SUFFIXES, fewest_files=1)
    owners = [found.names[index] for index in found.identities]
    wanted = set(names or owners)
    chosen = [(path, owner) for path, owner in zip(found.files, owners, strict=True) if owner in wanted]
    return [read_audio(path) for path, _ in chosen], [owner for _, owner in chosen]


def embed_recordings(encoder: Encoder, recordings: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors of recordings (samples,), each whole: (recordings, dimension)."""
    return _unit(np.concatenate([encoder.embed(torch.from_numpy(samples[None])) for samples in recordings]))


def embed_pieces(encoder: Encoder, pieces: np.ndarray) -> np.ndarray:
    """Unit vectors of pieces of one length (pieces, samples): (pieces, dimension)."""
    batches = [pieces[first : first + _BATCH] for first in range(0, len(pieces), _BATCH)]
    return _unit(np.concatenate([encoder.embed(torch.from_numpy(batch)) for batch in batches]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def pair_error_rate(vectors: np.ndarray, people: ArrayLike, sources: ArrayLike = ()) -> float:
    """Equal error rate over all pairs of unit vectors (count, dimension) by their cosine.

    people: who is heard in each. sources: the recording that each was cut from; two pieces of one recording share
        its noise, so they are no pair.
    """
    first, second = np.triu_indices(len(vectors), 1)
    names = np.asarray(sources)
    if len(names):
        apart = names[first] != names[second]
        first, second = first[apart], second[apart]
    owners = np.asarray(people)
    similarities = np.einsum("pd,pd->p", vectors[first], vectors[second])
    return equal_error_rate(score_from_similarity(similarities), owners[first] == owners[second])


def encoder_error(encoder: Encoder, folder: Path, names: Sequence[str] = ()) -> dict[str, Any]:
    """Equal error rate over all pairs of whole utterances of a folder of speakers, or of those of these names.

    Where each has only one utterance, its halves are compared.
    """
    utterances, people = read_utterances(folder, names)
    if len(set(people)) == len(people):
        utterances = [half for samples in utterances for half in np.array_split(samples, 2)]
        people = [name for name in people for _ in range(2)]
    rate = pair_error_rate(embed_recordings(encoder, utterances), people)
    return {"equal_error_rate": rate, "speakers": len(set(people)), "utterances": len(utterances)}


def cleaning_error_rates(
    encoder: Encoder,
    speech: Path,
    dataset: Path,
    work: Path,
    truth: Path,
    variants: Mapping[str, CleaningSettings],
) -> dict[str, dict[str, float]]:
    """What each way of cleaning makes of the speaker equal error rate.

    speech: folder of speakers, whose clean utterances are cleaned too. dataset, work, truth: conversations of
        them, preprocessed; the speech that was kept there is cut out of the source again and cleaned in each way.
    Rates: `kept_pieces`, pieces of 3 s of kept speech against those of other conversations; `kept_speech`, the mean
        of a conversation's vectors against those of others; `clean_utterances`, where people have several.
    """
    utterances, people = read_utterances(speech)
    kept = _KeptSpeech(dataset, work, truth)
    rates = {}
    for name, settings in variants.items():
        pieces = [_pieces(samples) for samples in kept.cleaned(settings)]
        vectors = embed_pieces(encoder, np.concatenate(pieces))
        row = np.repeat(np.arange(len(pieces)), [len(found) for found in pieces])
        used = np.unique(row)
        means = _unit(np.stack([vectors[row == index].mean(axis=0) for index in used]))
        owners, keys = np.asarray(kept.people), np.asarray(kept.keys)
        rates[name] = {
            "kept_pieces": pair_error_rate(vectors, owners[row], keys[row]),
            "kept_speech": pair_error_rate(means, owners[used]),
        }
        if len(set(people)) < len(people):
            cleaned = [_levelled(clean_recording(samples, settings), settings) for samples in utterances]
            rates[name]["clean_utterances"] = pair_error_rate(embed_recordings(encoder, cleaned), people)
    return rates


class _KeptSpeech:
    """Recordings with what was kept of them; keys, people: of those of which anything was."""

    def __init__(self, dataset: Path, work: Path, truth: Path) -> None:
        named = named_speakers(truth)
        spans: dict[str, list[tuple[float, float]]] = {}
        for row in read_parts(work / "voice/segments").to_pylist():
            spans.setdefault(row["key"], []).append((row["start_seconds"], row["end_seconds"]))
        self.keys = sorted(spans)
        self.people = [named.get(key) or _talks_most(truth, key) for key in self.keys]
        self._recordings = [read_audio(dataset / key) for key in self.keys]
        self._spans = [
            np.round(np.array(spans[key]) * FRAMES_PER_SECOND).astype(np.int64) for key in self.keys
        ]

    def cleaned(self, settings: CleaningSettings) -> list[np.ndarray]:
        """The kept speech of each recording as the pipeline would write it."""
        fade_seconds = KeynoteSettings().cross_fade_seconds
        joined = [
            join_segments(clean_recording(samples, settings), spans, fade_seconds)[0]
            for samples, spans in zip(self._recordings, self._spans, strict=True)
        ]
        return [_levelled(samples, settings) for samples in joined]


def _talks_most(truth: Path, key: str) -> str:
    return main_speaker(read_turns((truth / "rttm" / key).with_suffix(".rttm")))


def _levelled(samples: np.ndarray, settings: CleaningSettings) -> np.ndarray:
    return set_level(samples, settings.level_db, settings.peak_db)


def _pieces(samples: np.ndarray) -> np.ndarray:
    """As many pieces of PIECE_SECONDS as there are: (pieces, samples)."""
    length = round(PIECE_SECONDS * SAMPLE_RATE_HZ)
    count = len(samples) // length
    return samples[: count * length].reshape(count, length)
