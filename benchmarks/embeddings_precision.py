"""What bfloat16 does to vectors of trained weights: cosines to those in float32, and the speaker error rate in both."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.embeddings_networks import SPEECH_FOLDER, draw_crops
from benchmarks.speaker_verification import pair_error_rate, read_utterances
from features.voice_tokens import embed_pieces
from src.encoders.registry import load_encoder
from src.models.inference_form import Precision

_BATCH_SECONDS = 8.0
_CROPS = 32


def measure_precision(data: Path) -> dict[str, Any]:
    """Of the embedded encoders; the error rate where the folder holds speech, over all pairs of utterances."""
    figures: dict[str, Any] = {"face_smallest_cosine": _face_cosine()}
    if not (data / SPEECH_FOLDER).is_dir():
        return {**figures, "unavailable": f"no speech in {SPEECH_FOLDER}"}
    recordings, people = read_utterances(data / SPEECH_FOLDER)
    exact, low = (_voices(recordings, precision) for precision in ("float32", "bfloat16"))
    return {
        **figures,
        "utterances": len(recordings),
        "voice_smallest_cosine": float((exact * low).sum(axis=1).min()),
        "float32_equal_error_rate": pair_error_rate(exact, people),
        "bfloat16_equal_error_rate": pair_error_rate(low, people),
    }


def _voices(recordings: Sequence[np.ndarray], precision: Precision) -> np.ndarray:
    """Unit vectors (recordings, dimension)."""
    encoder = load_encoder("ecapa-compact").for_inference(precision)
    vectors = embed_pieces(encoder, recordings, _BATCH_SECONDS)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _face_cosine() -> float:
    encoder = load_encoder("face-compact")
    crops = torch.stack([encoder.prepare_crop(crop.transpose(1, 2, 0)) for crop in draw_crops(_CROPS)])
    exact, low = (encoder.for_inference(precision).embed(crops) for precision in ("float32", "bfloat16"))
    return float(torch.cosine_similarity(exact, low).min())
