"""Scoring with a two-branch method: every voice and face through its branch once, then one dot product a pair."""

from collections.abc import Callable

import numpy as np
import torch
from numba import njit
from numpy.typing import ArrayLike
from torch import Tensor

_BLOCK_ROWS = 8192


@torch.inference_mode()
def encode_in_blocks(branch: Callable[[Tensor], Tensor], vectors: Tensor, rows: int = _BLOCK_ROWS) -> Tensor:
    """What `branch` makes of every vector, (items, d), `rows` of them at a time, which bounds what lies between.

    branch: (n, D) → (n, d), each row on its own (a network in evaluation mode). vectors: float (items, D), at least
    one. Raises ValueError where there is none.
    """
    if len(vectors) == 0:
        raise ValueError("there is no vector to encode")
    first = branch(vectors[:rows])
    codes = first.new_empty((len(vectors), *first.shape[1:]))
    codes[:rows] = first
    for start in range(rows, len(vectors), rows):
        codes[start : start + rows] = branch(vectors[start : start + rows])
    return codes


def pair_products(
    voices: np.ndarray, faces: np.ndarray, voice_rows: ArrayLike, face_rows: ArrayLike
) -> np.ndarray:
    """Dot product of voices[voice_rows[i]] and faces[face_rows[i]], (pairs,), of the vectors' own precision.

    voices: float32 or float64 (V, d). faces: the same (F, d). voice_rows, face_rows: integers (pairs,). Of unit
    vectors it is the cosine, high = same person. Vectors are read where they stand, none is copied.
    Raises ValueError for shapes that do not fit each other and rows that are not there.
    """
    if voices.ndim != 2 or faces.ndim != 2 or voices.shape[1] != faces.shape[1] or voices.shape[1] == 0:
        raise ValueError(f"voices {voices.shape} and faces {faces.shape} share no space")
    voice_places, face_places = _places(voice_rows, len(voices)), _places(face_rows, len(faces))
    if voice_places.shape != face_places.shape:
        raise ValueError(f"{len(voice_places)} voice rows and {len(face_places)} face rows make no pairs")
    products: np.ndarray = _products(voices, faces, voice_places, face_places)
    return products


def _places(rows: ArrayLike, items: int) -> np.ndarray:
    places = np.asarray(rows)
    if places.ndim != 1 or (len(places) and not 0 <= places.min() <= places.max() < items):
        raise ValueError(f"rows must be a vector of integers from 0 to {items - 1}")
    return places.astype(np.int64, copy=False)


@njit(
    cache=True, fastmath={"reassoc", "contract"}
)  # sums in any order: that is what lets a processor do many at once
def _products(
    voices: np.ndarray, faces: np.ndarray, voice_rows: np.ndarray, face_rows: np.ndarray
) -> np.ndarray:
    products = np.empty(len(voice_rows), voices.dtype)
    for pair in range(len(voice_rows)):
        voice, face = voice_rows[pair], face_rows[pair]
        total = voices[voice, 0] * faces[face, 0]
        for number in range(1, voices.shape[1]):
            total += voices[voice, number] * faces[face, number]
        products[pair] = total
    return products
