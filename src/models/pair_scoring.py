"""Similarities of many pairs, in blocks of bounded memory, on the device where the tokens live.

Every voice and every face is encoded once; the blocks only compare encodings.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from src.models.association import AssociationModel
from src.models.tokens import TokenSequences


@torch.inference_mode()
def pair_similarities(
    model: AssociationModel,
    voices: TokenSequences,
    faces: TokenSequences,
    voice_rows: ArrayLike,
    face_rows: ArrayLike,
    pairs_per_block: int = 4096,
) -> np.ndarray:
    """Similarity of each listed pair, float64 (pairs,); higher = same person.

    voice_rows, face_rows: integers (pairs,), which voice and which face each pair is made of.
    The model is put into evaluation mode and left in it.
    """
    model.eval()
    voice_index, face_index = _rows(voice_rows, voices), _rows(face_rows, faces)
    if voice_index.shape != face_index.shape:
        raise ValueError(f"{len(voice_index)} voice rows and {len(face_index)} face rows make no pairs")
    voice_codes, voice_mask = model.condense(model.encode_voices(voices.tokens), voices.mask)
    face_codes, face_mask = model.condense(model.encode_faces(faces.tokens), faces.mask)
    blocks = [
        model.compare(voice_codes[v], voice_mask[v], face_codes[f], face_mask[f]).similarity
        for v, f in zip(voice_index.split(pairs_per_block), face_index.split(pairs_per_block), strict=True)
    ]
    return torch.cat(blocks).double().cpu().numpy()


@torch.inference_mode()
def similarity_matrix_of(
    model: AssociationModel, voices: TokenSequences, faces: TokenSequences, pairs_per_block: int = 4096
) -> np.ndarray:
    """Similarity of every voice and every face, float64 (voices, faces); higher = same person.

    The model is put into evaluation mode and left in it.
    """
    model.eval()
    voice_codes, voice_mask = model.condense(model.encode_voices(voices.tokens), voices.mask)
    face_codes, face_mask = model.condense(model.encode_faces(faces.tokens), faces.mask)
    side = max(1, int(pairs_per_block**0.5))
    rows = []
    for codes, mask in zip(voice_codes.split(side), voice_mask.split(side), strict=True):
        blocks = [
            model.grid_similarity(codes, mask, face_block, block_mask)
            for face_block, block_mask in zip(face_codes.split(side), face_mask.split(side), strict=True)
        ]
        rows.append(torch.cat(blocks, dim=1))
    return torch.cat(rows).double().cpu().numpy()


def _rows(rows: ArrayLike, sequences: TokenSequences) -> Tensor:
    index = torch.as_tensor(np.asarray(rows, dtype=np.int64), device=sequences.device)
    if len(index) == 0 or int(index.min()) < 0 or int(index.max()) >= len(sequences):
        raise ValueError(f"rows must be from 0 to {len(sequences) - 1}, and there must be one")
    return index
