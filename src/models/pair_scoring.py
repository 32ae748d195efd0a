"""Similarities of many pairs, in blocks of bounded memory.

Every voice and every face is encoded once, a block of items at a time; further blocks only compare encodings. Where the
encodings of one side are too large to be held together, they are made in groups, and the other side's are made again
for each group.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from src.models.association import AssociationModel
from src.models.tokens import TokenRuns, TokenSequences

Items = TokenSequences | TokenRuns
Side = Literal["voice", "face"]
_PAIRS_PER_BLOCK = 4096
_BLOCK_NUMBERS = 4_000_000  # of tokens that are encoded at once
_GROUP_NUMBERS = 128_000_000  # of encodings of one side that are held at once, half a gigabyte
_MATRIX_NUMBERS = 4_000_000  # of similarities in a block of rows


@dataclass(frozen=True)
class _Encoded:
    """Encodings of the items from `first` on: codes (n, T, width), mask bool (n, T)."""

    first: int
    codes: Tensor
    mask: Tensor

    @property
    def end(self) -> int:
        return self.first + len(self.codes)


@torch.inference_mode()
def pair_similarities(
    model: AssociationModel,
    voices: Items,
    faces: Items,
    voice_rows: ArrayLike,
    face_rows: ArrayLike,
    pairs_per_block: int = _PAIRS_PER_BLOCK,
    group_numbers: int = _GROUP_NUMBERS,
) -> np.ndarray:
    """Similarity of each listed pair, float64 (pairs,); higher = same person.

    voice_rows, face_rows: integers (pairs,), which voice and which face each pair is made of. group_numbers: most
    numbers in the encodings of one side that are held at once.
    The model is put into evaluation mode and left in it.
    """
    model.eval()
    voice_index, face_index = _rows(voice_rows, len(voices)), _rows(face_rows, len(faces))
    if voice_index.shape != face_index.shape:
        raise ValueError(f"{len(voice_index)} voice rows and {len(face_index)} face rows make no pairs")
    similarities = np.empty(len(voice_index), np.float64)
    for voice_group in _encoded_groups(model, voices, "voice", group_numbers):
        for face_group in _encoded_groups(model, faces, "face", group_numbers):
            pairs = _pairs_within(voice_group, face_group, voice_index, face_index)
            for start in range(0, len(pairs), pairs_per_block):
                block = pairs[start : start + pairs_per_block]
                similarities[block] = _compared(
                    model, voice_group, face_group, voice_index[block], face_index[block]
                )
    return similarities


@torch.inference_mode()
def similarity_blocks(
    model: AssociationModel,
    voices: Items,
    faces: Items,
    rows: Side = "voice",
    pairs_per_block: int | None = None,
) -> Iterator[np.ndarray]:
    """Similarity of every voice and every face, a block of rows at a time; higher = same person.

    rows: what the rows are of: voices, so that blocks are (some voices, faces), or faces: (some faces, voices). The
    other side's encodings are held together. pairs_per_block: compared at once; what suits the method if None.
    Yields float32. The model is put into evaluation mode and left in it.
    """
    model.eval()
    items, others = (voices, faces) if rows == "voice" else (faces, voices)
    columns: Side = "face" if rows == "voice" else "voice"
    held = _joined(_encoded_groups(model, others, columns, _GROUP_NUMBERS))
    side = max(1, int((pairs_per_block or model.grid_pairs) ** 0.5))
    rows_per_block = max(1, _MATRIX_NUMBERS // len(others) // side) * side
    for group in _encoded_groups(model, items, rows, _GROUP_NUMBERS):
        for start in range(0, len(group.codes), rows_per_block):
            block = slice(start, start + rows_per_block)
            yield _grid(model, _Encoded(0, group.codes[block], group.mask[block]), held, rows, side)


def similarity_matrix_of(
    model: AssociationModel, voices: Items, faces: Items, pairs_per_block: int | None = None
) -> np.ndarray:
    """Similarity of every voice and every face, float64 (voices, faces); higher = same person.

    The model is put into evaluation mode and left in it.
    """
    blocks = similarity_blocks(model, voices, faces, pairs_per_block=pairs_per_block)
    return np.concatenate(list(blocks)).astype(np.float64)


def _encoded_groups(
    model: AssociationModel, items: Items, side: Side, group_numbers: int
) -> Iterator[_Encoded]:
    """Encodings of all items, as many together as `group_numbers` allow."""
    encode = model.encode_voices if side == "voice" else model.encode_faces
    rows = max(1, _BLOCK_NUMBERS // (items.longest * items.dimension))
    first = 0
    while first < len(items):
        block = items.block(first, first + rows)
        code, mask = model.condense(encode(block.tokens), block.mask)
        blocks = max(1, -(-group_numbers // code.numel()))
        size = min(len(items) - first, blocks * rows)
        codes, masks = code.new_empty((size, *code.shape[1:])), mask.new_empty((size, *mask.shape[1:]))
        codes[: len(code)], masks[: len(code)] = code, mask
        for start in range(len(code), size, rows):
            block = items.block(first + start, first + min(start + rows, size))
            part = slice(start, start + len(block))
            codes[part], masks[part] = model.condense(encode(block.tokens), block.mask)
        yield _Encoded(first, codes, masks)
        first += size


def _joined(groups: Iterator[_Encoded]) -> _Encoded:
    every = list(groups)
    if len(every) == 1:
        return every[0]
    return _Encoded(0, torch.cat([one.codes for one in every]), torch.cat([one.mask for one in every]))


def _pairs_within(
    voices: _Encoded, faces: _Encoded, voice_rows: np.ndarray, face_rows: np.ndarray
) -> np.ndarray:
    """Which pairs have both their items in the groups."""
    within = (voice_rows >= voices.first) & (voice_rows < voices.end)
    within &= (face_rows >= faces.first) & (face_rows < faces.end)
    return np.flatnonzero(within)


def _compared(
    model: AssociationModel, voices: _Encoded, faces: _Encoded, voice_rows: np.ndarray, face_rows: np.ndarray
) -> np.ndarray:
    device = voices.codes.device
    voice = torch.from_numpy(voice_rows - voices.first).to(device)
    face = torch.from_numpy(face_rows - faces.first).to(device)
    found = model.row_similarity(
        *(part.index_select(0, voice) for part in (voices.codes, voices.mask)),
        *(part.index_select(0, face) for part in (faces.codes, faces.mask)),
    )
    return found.double().cpu().numpy()


def _grid(model: AssociationModel, items: _Encoded, others: _Encoded, rows: Side, side: int) -> np.ndarray:
    """(items, others), in squares of `side`."""
    strips = []
    for codes, mask in zip(items.codes.split(side), items.mask.split(side), strict=True):
        squares = []
        for other, other_mask in zip(others.codes.split(side), others.mask.split(side), strict=True):
            if rows == "voice":
                squares.append(model.grid_similarity(codes, mask, other, other_mask))
            else:
                squares.append(model.grid_similarity(other, other_mask, codes, mask).T)
        strips.append(torch.cat(squares, dim=1))
    return torch.cat(strips).float().cpu().numpy()


def _rows(rows: ArrayLike, items: int) -> np.ndarray:
    index = np.asarray(rows, dtype=np.int64)
    if len(index) == 0 or int(index.min()) < 0 or int(index.max()) >= items:
        raise ValueError(f"rows must be from 0 to {items - 1}, and there must be one")
    return index
