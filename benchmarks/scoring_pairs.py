"""Scoring trials with a two-branch method: every embedding once and all pairs in blocks, or one trial at a time."""

import time
from typing import Any

import numpy as np
import torch

from src.models.association import AssociationModel
from src.models.fop import Fop
from src.models.pair_scoring import pair_similarities
from src.models.tokens import TokenRuns, TokenSequences

VOICE_NUMBERS, FACE_NUMBERS, SHARED_NUMBERS = 192, 512, 128  # ECAPA-TDNN, VGGFace2, the shared space
_REPETITIONS = 3
_WARM_UP_PAIRS = 20_000


def measure_pairs(embeddings: int, trials: int, single_trials: int) -> dict[str, Any]:
    """Seconds of both ways; one at a time is timed on the first `single_trials` trials and scaled to all.

    embeddings: voices and faces together, half of each, a token each. The first trials' scores are compared.
    """
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    each = embeddings // 2
    voices = torch.randn(each, VOICE_NUMBERS, generator=generator).numpy()
    faces = torch.randn(each, FACE_NUMBERS, generator=generator).numpy()
    voice_rows, face_rows = torch.randint(each, (2, trials), generator=generator).numpy()
    model = Fop(VOICE_NUMBERS, FACE_NUMBERS, width=SHARED_NUMBERS).eval()
    _together(model, voices, faces, voice_rows[:_WARM_UP_PAIRS], face_rows[:_WARM_UP_PAIRS])
    seconds = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        together = _together(model, voices, faces, voice_rows, face_rows)
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    singly = _one_at_a_time(model, voices, faces, voice_rows[:single_trials], face_rows[:single_trials])
    single_seconds = (time.perf_counter() - start) * trials / len(singly)
    return {
        "embeddings": 2 * each,
        "trials": trials,
        "seconds": min(seconds),
        "one_at_a_time_seconds": single_seconds,
        "timed_one_at_a_time": len(singly),
        "times_as_fast": single_seconds / min(seconds),
        "largest_difference": float(np.abs(together[: len(singly)] - singly).max()),
    }


def _together(
    model: AssociationModel,
    voices: np.ndarray,
    faces: np.ndarray,
    voice_rows: np.ndarray,
    face_rows: np.ndarray,
) -> np.ndarray:
    """As `inference.py score` does it."""
    return pair_similarities(model, _single_tokens(voices), _single_tokens(faces), voice_rows, face_rows)


def _single_tokens(vectors: np.ndarray) -> TokenRuns:
    return TokenRuns(vectors, np.arange(len(vectors)), np.ones(len(vectors), np.int64))


@torch.inference_mode()
def _one_at_a_time(
    model: AssociationModel,
    voices: np.ndarray,
    faces: np.ndarray,
    voice_rows: np.ndarray,
    face_rows: np.ndarray,
) -> np.ndarray:
    """The contract's own way for one pair: its two sequences of tokens, and their similarity."""
    scores = []
    for voice_row, face_row in zip(voice_rows, face_rows, strict=True):
        voice = TokenSequences.gather(voices, [voice_row], [1])
        face = TokenSequences.gather(faces, [face_row], [1])
        scores.append(float(model.similarity(voice.tokens, voice.mask, face.tokens, face.mask)))
    return np.array(scores)
