"""What the report asks of a model: where the face looks in the voice, and points of a shared space."""

import pytest
import torch
from torch import nn

from src.models.cafnet import CafNet
from src.models.ensemble import Ensemble
from src.models.mfv import Mfv
from src.models.shared_space import SharedSpace
from src.models.tokens import TokenSequences


def cafnet(seed, aligned_width=4):
    torch.manual_seed(seed)
    settings = {"hidden": 6, "dropout": 0.2, "attention_dropout": 0.1, "comparison": "fused_and_product"}
    model = CafNet(7, 5, aligned_width=aligned_width, width=8, heads=2, **settings).eval()
    for weight in model.face_attention.parameters():  # as freshly drawn they hardly tell keys apart
        nn.init.normal_(weight, std=1.5)
    return model


def sequences(lengths, dimension, seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(len(lengths), max(lengths), dimension, generator=generator)
    return TokenSequences(tokens, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])


VOICES, FACES = sequences([4, 1, 3], 7, 1), sequences([2, 3, 1], 5, 2)


def attention_of(model):
    voices, faces = model.encode_voices(VOICES.tokens), model.encode_faces(FACES.tokens)
    return model.attention_over_voice(voices, VOICES.mask, faces, FACES.mask)


def points_of(model):
    return model.shared_points(model.encode_voices(VOICES.tokens), VOICES.mask)


@pytest.mark.parametrize("model", [cafnet(0), Ensemble([cafnet(0), cafnet(1)]).eval()], ids=["one", "two"])
@torch.inference_mode()
def test_shares_of_the_voice_tokens_sum_to_one_and_padding_has_none(model):
    shares = attention_of(model)
    assert shares.shape == (3, 4)
    torch.testing.assert_close(shares.sum(-1), torch.ones(3))
    assert torch.equal(shares > 0, VOICES.mask)
    assert shares[0].max() > 1.5 * shares[0].min()
    assert shares[1, 0] == pytest.approx(1.0)


@torch.inference_mode()
def test_shares_are_those_of_pytorchs_attention():
    model = cafnet(0)
    block = model.face_attention
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    layer.in_proj_weight.copy_(torch.cat([block.query.weight, block.key.weight, block.value.weight]))
    layer.in_proj_bias.copy_(torch.cat([block.query.bias, block.key.bias, block.value.bias]))
    voices, faces = model.encode_voices(VOICES.tokens), model.encode_faces(FACES.tokens)
    _, weights = layer(faces, voices, voices, key_padding_mask=~VOICES.mask)
    for row, shares in enumerate(attention_of(model)):
        torch.testing.assert_close(shares, weights[row, FACES.mask[row]].mean(0))


@torch.inference_mode()
def test_a_method_that_does_not_attend_says_so():
    torch.manual_seed(0)
    assert attention_of(SharedSpace(7, 5, width=3, hidden=None, dropout=0.0).eval()) is None
    assert attention_of(Ensemble([Mfv(7, 5, hidden=6, width=4, fused_width=3)]).eval()) is None


@torch.inference_mode()
def test_points_of_members_compare_as_the_mean_of_their_cosines():
    torch.manual_seed(0)
    members = [SharedSpace(7, 5, width=3, hidden=None, dropout=0.0).eval() for _ in range(2)]
    cosines = [points @ points.T for points in map(points_of, members)]
    points = points_of(Ensemble(members).eval())
    torch.testing.assert_close(points @ points.T, (cosines[0] + cosines[1]) / 2)
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(3))


@torch.inference_mode()
def test_only_aligned_inputs_make_a_shared_space_of_cafnet():
    assert points_of(cafnet(0)).shape == (3, 8)
    assert points_of(cafnet(0, aligned_width=None)) is None
    assert points_of(Ensemble([cafnet(0, aligned_width=None)]).eval()) is None
    torch.manual_seed(0)
    assert points_of(Ensemble([Mfv(7, 5, hidden=6, width=4, fused_width=3)]).eval()) is None
