"""Scoring trials with a two-branch method: every embedding once and all pairs in blocks, or one trial at a time."""

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from src.models.association import AssociationModel, Comparison
from src.models.pair_products import encode_in_blocks, pair_products
from src.models.tokens import TokenSequences, masked_token_mean

VOICE_NUMBERS, FACE_NUMBERS, SHARED_NUMBERS = 192, 512, 128  # ECAPA-TDNN, VGGFace2, the shared space


class TwoBranches(AssociationModel):
    """The branches of FOP: linear, batch norm, ReLU, length 1; the similarity is the cosine of the mean tokens."""

    def __init__(self) -> None:
        super().__init__(VOICE_NUMBERS, FACE_NUMBERS, SHARED_NUMBERS)
        self.voice_branch, self.face_branch = _branch(VOICE_NUMBERS), _branch(FACE_NUMBERS)

    def encode_voices(self, tokens: Tensor) -> Tensor:
        """See the contract."""
        return _encoded(self.voice_branch, tokens)

    def encode_faces(self, tokens: Tensor) -> Tensor:
        """See the contract."""
        return _encoded(self.face_branch, tokens)

    def compare(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """See the contract."""
        voice = nn.functional.normalize(masked_token_mean(voices, voice_mask), dim=-1)
        face = nn.functional.normalize(masked_token_mean(faces, face_mask), dim=-1)
        return Comparison((voice * face).sum(-1), voice + face)

    def compare_all(self, voices: Tensor, voice_mask: Tensor, faces: Tensor, face_mask: Tensor) -> Comparison:
        """Not what is measured."""
        raise NotImplementedError


def _branch(numbers: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(numbers, SHARED_NUMBERS), nn.BatchNorm1d(SHARED_NUMBERS), nn.ReLU())


def _unit_codes(branch: nn.Sequential, vectors: Tensor) -> Tensor:
    return nn.functional.normalize(branch(vectors), dim=-1)


def _encoded(branch: nn.Sequential, tokens: Tensor) -> Tensor:
    return _unit_codes(branch, tokens.flatten(0, 1)).unflatten(0, tokens.shape[:2])


def measure_pairs(embeddings: int, trials: int, single_trials: int) -> dict[str, Any]:
    """Seconds of both ways; one at a time is timed on the first `single_trials` trials and scaled to all.

    embeddings: voices and faces together, half of each, a token each. The first trials' scores are compared.
    """
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    each = embeddings // 2
    voices = torch.randn(each, VOICE_NUMBERS, generator=generator)
    faces = torch.randn(each, FACE_NUMBERS, generator=generator)
    voice_rows, face_rows = torch.randint(each, (2, trials), generator=generator).numpy()
    model = TwoBranches().eval()
    _together(
        model, voices[:20_000], faces[:20_000], np.zeros(1, np.int64), np.zeros(1, np.int64)
    )  # compiles
    start = time.perf_counter()
    together = _together(model, voices, faces, voice_rows, face_rows)
    finished = time.perf_counter()
    singly = _one_at_a_time(
        model, voices.numpy(), faces.numpy(), voice_rows[:single_trials], face_rows[:single_trials]
    )
    single_seconds = (time.perf_counter() - finished) * trials / len(singly)
    return {
        "embeddings": 2 * each,
        "trials": trials,
        "seconds": finished - start,
        "one_at_a_time_seconds": single_seconds,
        "timed_one_at_a_time": len(singly),
        "times_as_fast": single_seconds / (finished - start),
        "largest_difference": float(np.abs(together[: len(singly)] - singly).max()),
    }


def _together(
    model: TwoBranches, voices: Tensor, faces: Tensor, voice_rows: np.ndarray, face_rows: np.ndarray
) -> np.ndarray:
    """Batch norms folded, every embedding through its branch once, then all pairs."""
    codes = []
    for branch, vectors in ((model.voice_branch, voices), (model.face_branch, faces)):
        linear, norm = branch[0], branch[1]
        assert isinstance(linear, nn.Linear)
        assert isinstance(norm, nn.BatchNorm1d)
        folded = nn.Sequential(fuse_linear_bn_eval(linear, norm), nn.ReLU(inplace=True))
        codes.append(encode_in_blocks(partial(_unit_codes, folded), vectors).numpy())
    return pair_products(codes[0], codes[1], voice_rows, face_rows)


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
