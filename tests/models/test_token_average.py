"""Test-time averaging against a plain loop over windows and crops."""

import pytest
import torch

from src.models import token_average
from src.models.registry import build_model
from src.models.token_average import TokenAverage

CAFNET = {
    "name": "cafnet",
    "voice_dimension": 6,
    "face_dimension": 5,
    "aligned_width": None,
    "width": 4,
    "heads": 2,
    "hidden": 4,
    "dropout": 0.0,
    "members": 2,
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_model(CAFNET).eval()


def batch():
    generator = torch.Generator().manual_seed(1)
    voices, faces = torch.randn(3, 4, 6, generator=generator), torch.randn(3, 2, 5, generator=generator)
    voice_mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0]], dtype=torch.bool)
    face_mask = torch.tensor([[1, 1], [1, 1], [1, 0]], dtype=torch.bool)
    return voices, voice_mask, faces, face_mask


@pytest.mark.parametrize("most_pairs", [1, 5, 1 << 15])
def test_equals_a_loop_over_single_tokens(model, monkeypatch, most_pairs):
    monkeypatch.setattr(token_average, "_MOST_PAIRS", most_pairs)
    voices, voice_mask, faces, face_mask = batch()
    one = torch.ones(1, 1, dtype=torch.bool)
    with torch.inference_mode():
        found = TokenAverage(model).similarity(voices, voice_mask, faces, face_mask)
        grid = TokenAverage(model).similarity_matrix(voices, voice_mask, faces, face_mask)
        for row in range(3):
            single = [
                model.similarity(voices[row : row + 1, t : t + 1], one, faces[row : row + 1, s : s + 1], one)
                for t in range(int(voice_mask[row].sum()))
                for s in range(int(face_mask[row].sum()))
            ]
            assert float(found[row]) == pytest.approx(float(torch.cat(single).mean()), abs=1e-6)
    torch.testing.assert_close(grid.diagonal(), found)


def test_single_tokens_are_the_model_itself(model):
    voices, _, faces, _ = batch()
    one = torch.ones(3, 1, dtype=torch.bool)
    with torch.inference_mode():
        arguments = voices[:, :1], one, faces[:, :1], one
        torch.testing.assert_close(TokenAverage(model).similarity(*arguments), model.similarity(*arguments))
