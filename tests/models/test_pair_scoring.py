"""Many pairs in blocks and groups: whatever their sizes, the similarities are those of all at once."""

import numpy as np
import pytest
import torch

from src.models.cafnet import CafNet
from src.models.ensemble import Ensemble
from src.models.fop import Fop
from src.models.pair_scoring import pair_similarities, similarity_blocks, similarity_matrix_of
from src.models.tokens import TokenRuns, TokenSequences

RANDOM = np.random.default_rng(0)
VECTORS = {
    "voice": RANDOM.normal(size=(20, 7)).astype(np.float32),
    "face": RANDOM.normal(size=(20, 5)).astype(np.float32),
}
FIRST, COUNT = {"voice": [0, 3, 9, 10, 17], "face": [19, 2, 5]}, {"voice": [3, 6, 1, 4, 2], "face": [1, 1, 4]}


def runs(side):
    return TokenRuns(VECTORS[side], np.array(FIRST[side]), np.array(COUNT[side]))


def sequences(side):
    return TokenSequences.gather(VECTORS[side], FIRST[side], COUNT[side])


def models():
    torch.manual_seed(0)
    sizes = {
        "aligned_width": None,
        "width": 8,
        "heads": 2,
        "hidden": 8,
        "dropout": 0.1,
        "attention_dropout": 0.0,
    }
    attention = CafNet(7, 5, **sizes, comparison="fused")
    branches = Fop(7, 5, width=8)
    return {"cafnet": attention, "fop": branches, "ensemble": Ensemble([Fop(7, 5, width=8), branches])}


@pytest.fixture(params=["cafnet", "fop", "ensemble"])
def model(request):
    return models()[request.param].eval()


def matrix_at_once(model):
    voices, faces = sequences("voice"), sequences("face")
    with torch.inference_mode():
        return model.compare_all(
            model.encode_voices(voices.tokens), voices.mask, model.encode_faces(faces.tokens), faces.mask
        ).similarity.numpy()


@pytest.mark.parametrize("group_numbers", [1, 60, 10**9])
@pytest.mark.parametrize("block_numbers", [1, 10**6])
def test_groups_and_blocks_change_nothing(model, monkeypatch, group_numbers, block_numbers):
    monkeypatch.setattr("src.models.pair_scoring._BLOCK_NUMBERS", block_numbers)
    expected = matrix_at_once(model)
    voice_rows, face_rows = np.array([4, 0, 0, 2, 1]), np.array([0, 2, 0, 1, 1])
    for voices, faces in ((runs("voice"), runs("face")), (sequences("voice"), sequences("face"))):
        found = pair_similarities(model, voices, faces, voice_rows, face_rows, 2, group_numbers)
        np.testing.assert_allclose(found, expected[voice_rows, face_rows], atol=1e-5)


@pytest.mark.parametrize("pairs_per_block", [1, 4, None])
@pytest.mark.parametrize("matrix_numbers", [1, 10**6])
def test_blocks_of_rows_are_the_matrix_either_way(model, monkeypatch, pairs_per_block, matrix_numbers):
    monkeypatch.setattr("src.models.pair_scoring._MATRIX_NUMBERS", matrix_numbers)
    expected = matrix_at_once(model)
    arguments = (model, runs("voice"), runs("face"))
    by_voice = list(similarity_blocks(*arguments, pairs_per_block=pairs_per_block))
    by_face = list(similarity_blocks(*arguments, "face", pairs_per_block))
    np.testing.assert_allclose(np.concatenate(by_voice), expected, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(by_face), expected.T, atol=1e-5)
    np.testing.assert_allclose(similarity_matrix_of(*arguments, pairs_per_block), expected, atol=1e-5)
    if pairs_per_block == matrix_numbers == 1:
        assert len(by_voice) == len(expected)


def test_rows_need_no_joint_embedding(model):
    voices, faces = sequences("voice").select(torch.tensor([0, 1, 2])), sequences("face")
    with torch.inference_mode():
        codes = model.encode_voices(voices.tokens), voices.mask, model.encode_faces(faces.tokens), faces.mask
        torch.testing.assert_close(model.row_similarity(*codes), model.compare(*codes).similarity)
