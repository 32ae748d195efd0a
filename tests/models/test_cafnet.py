"""CAFNet: equations by hand, masks, one token, all pairs against listed pairs, gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from src.models.cafnet import CafNet
from src.models.canonical_correlation import AffineMap
from src.models.cross_attention import CrossAttention
from src.models.ensemble import Ensemble
from src.models.gated_fusion import GatedFusion
from src.models.pair_scoring import pair_similarities, similarity_matrix_of
from src.models.tokens import TokenSequences


def cafnet(seed=0, **changes):
    torch.manual_seed(seed)
    settings = {
        "aligned_width": 4,
        "width": 8,
        "heads": 2,
        "hidden": 6,
        "dropout": 0.2,
        "attention_dropout": 0.1,
        "comparison": "fused_and_product",
        **changes,
    }
    return CafNet(7, 5, **settings).eval()


def sequences(items, longest, dimension, seed):
    """Random sequences of different lengths; what stands in the padding is garbage."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(items, longest, dimension, generator=generator)
    lengths = torch.randint(1, longest + 1, (items,), generator=generator)
    return TokenSequences(tokens, torch.arange(longest) < lengths[:, None])


VOICES, FACES = sequences(6, 4, 7, 1), sequences(5, 3, 5, 2)


def published_form(model, voice, face):
    """The docstring's equations for one voice (T, D_a) and one face (S, D_v), with PyTorch's own attention."""

    def attention(block, queries, keys):
        layer = nn.MultiheadAttention(8, 2, batch_first=True)
        with torch.no_grad():
            layer.in_proj_weight.copy_(torch.cat([block.query.weight, block.key.weight, block.value.weight]))
            layer.in_proj_bias.copy_(torch.cat([block.query.bias, block.key.bias, block.value.bias]))
            layer.out_proj.weight.copy_(block.output.weight)
            layer.out_proj.bias.copy_(block.output.bias)
        return layer(queries[None], keys[None], keys[None])[0][0]

    a = torch.tanh(model.voice_projection(F.normalize(voice, dim=-1) @ model.voice_input.projection))
    v = torch.tanh(model.face_projection(F.normalize(face, dim=-1) @ model.face_input.projection))
    z_a = model.voice_norm(a + attention(model.voice_attention, a, v)).mean(0)
    z_v = model.face_norm(v + attention(model.face_attention, v, a)).mean(0)
    gate = torch.sigmoid(model.fusion.gate(torch.cat([z_a, z_v])))
    fused = gate * z_a + (1 - gate) * z_v
    return model.classifier(torch.cat([fused, z_a * z_v]))[0], fused


def test_equals_its_equations_for_every_pair():
    model = cafnet()
    similarity, fused = model.compare_all(
        model.encode_voices(VOICES.tokens), VOICES.mask, model.encode_faces(FACES.tokens), FACES.mask
    )
    assert similarity.shape == (6, 5)
    assert fused.shape == (6, 5, 8)
    for i in range(6):
        for j in range(5):
            voice, face = VOICES.tokens[i][VOICES.mask[i]], FACES.tokens[j][FACES.mask[j]]
            expected, joint = published_form(model, voice, face)
            torch.testing.assert_close(similarity[i, j], expected, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(fused[i, j], joint, rtol=1e-4, atol=1e-5)


def test_listed_pairs_equal_all_pairs():
    model = cafnet()
    matrix = model.similarity_matrix(VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask)
    v, f = torch.tensor([0, 3, 3, 5]), torch.tensor([4, 0, 2, 2])
    listed = model.similarity(VOICES.tokens[v], VOICES.mask[v], FACES.tokens[f], FACES.mask[f])
    torch.testing.assert_close(listed, matrix[v, f])


def test_the_order_of_tokens_does_not_count():
    model = cafnet()
    everything = torch.ones(6, 4, dtype=torch.bool)
    expected = model.similarity_matrix(VOICES.tokens, everything, FACES.tokens, FACES.mask)
    turned = model.similarity_matrix(VOICES.tokens.flip(1), everything, FACES.tokens, FACES.mask)
    torch.testing.assert_close(turned, expected)


def test_the_length_of_embeddings_does_not_count():
    model = cafnet()
    expected = model.similarity_matrix(VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask)
    longer = model.similarity_matrix(3.0 * VOICES.tokens, VOICES.mask, 0.2 * FACES.tokens, FACES.mask)
    torch.testing.assert_close(longer, expected)


def test_over_one_token_the_attention_is_a_linear_map():
    torch.manual_seed(0)
    attention = CrossAttention(8, 2)
    queries, key = torch.randn(3, 4, 8, requires_grad=True), torch.randn(3, 1, 8)
    out = attention(queries, key, torch.ones(3, 1, dtype=torch.bool))
    linear = attention.output(attention.value(key))
    torch.testing.assert_close(out, linear.expand(3, 4, 8))
    out.pow(2).sum().backward()
    assert queries.grad.abs().max() == 0
    assert attention.query.weight.grad.abs().max() == 0


def test_over_several_tokens_the_attention_chooses():
    torch.manual_seed(0)
    attention = CrossAttention(8, 2)
    out = attention(torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool))
    assert (out[:, 0] - out[:, 1]).abs().max() > 1e-3
    out.pow(2).sum().backward()
    assert all(parameter.grad is not None for parameter in attention.parameters())
    assert attention.query.weight.grad.abs().max() > 0


def test_gate_by_hand():
    fusion = GatedFusion(2)
    with torch.no_grad():
        fusion.gate.weight.zero_()
        fusion.gate.bias.copy_(torch.tensor([0.0, float(np.log(3.0))]))
    fused = fusion(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 0.0]))
    torch.testing.assert_close(fused, torch.tensor([2.0, 3.0]))


def test_every_weight_learns():
    model = cafnet().train()
    similarity, fused = model.compare_all(
        model.encode_voices(VOICES.tokens), VOICES.mask, model.encode_faces(FACES.tokens), FACES.mask
    )
    (similarity.pow(2).sum() + fused.pow(2).sum()).backward()
    for name, parameter in model.named_parameters():
        if "attention.key.bias" not in name:  # the softmax cancels a shift that all keys share
            assert parameter.grad.abs().max() > 0, name


def test_the_papers_form_sees_the_fused_vector_alone():
    model = cafnet(aligned_width=None, comparison="fused")
    assert model.classifier[0].in_features == 8
    assert model.voice_projection.in_features == 7
    torch.testing.assert_close(model.voice_input(VOICES.tokens), F.normalize(VOICES.tokens, dim=-1))


def test_fitted_inputs_are_used_and_missing_directions_are_zero():
    model = cafnet()
    voice = AffineMap(np.full(7, 0.1), np.arange(21, dtype=np.float64).reshape(7, 3))
    model.fit_inputs(voice, AffineMap(np.zeros(5), np.ones((5, 4))))
    found = model.voice_input(VOICES.tokens)
    expected = voice(F.normalize(VOICES.tokens, dim=-1).double().numpy())
    np.testing.assert_allclose(found[..., :3].numpy(), expected, rtol=1e-4, atol=1e-5)
    assert found[..., 3].abs().max() == 0
    assert "voice_input.projection" in model.state_dict()


@pytest.mark.parametrize("block", [1, 2, 7, 4096])
def test_blocks_do_not_change_similarities(block):
    model = cafnet()
    matrix = model.similarity_matrix(VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask).detach().numpy()
    np.testing.assert_allclose(
        similarity_matrix_of(model, VOICES, FACES, block), matrix, rtol=1e-5, atol=1e-6
    )
    rows, columns = np.indices(matrix.shape).reshape(2, -1)
    listed = pair_similarities(model, VOICES, FACES, rows, columns, block)
    assert listed.dtype == np.float64
    np.testing.assert_allclose(listed, matrix.ravel(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [[-1], [6], []])
def test_rows_out_of_range_are_refused(rows):
    with pytest.raises(ValueError, match="rows must be"):
        pair_similarities(cafnet(), VOICES, FACES, rows, [0] * len(rows))


def test_an_ensemble_is_the_mean_of_its_members():
    members = [cafnet(seed) for seed in (1, 2, 3)]
    ensemble = Ensemble(members).eval()
    arguments = (VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask)
    expected = torch.stack([member.similarity_matrix(*arguments) for member in members]).mean(0)
    torch.testing.assert_close(ensemble.similarity_matrix(*arguments), expected)
    v = f = torch.arange(5)
    listed = ensemble.similarity(VOICES.tokens[v], VOICES.mask[v], FACES.tokens[f], FACES.mask[f])
    torch.testing.assert_close(listed, expected[v, f])
    assert ensemble.fused_dimension == 24


def test_gathered_sequences_are_padded_and_masked():
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    gathered = TokenSequences.gather(vectors, [4, 0, 3], [2, 3, 1])
    assert gathered.tokens.shape == (3, 3, 2)
    assert gathered.mask.tolist() == [[True, True, False], [True, True, True], [True, False, False]]
    np.testing.assert_array_equal(gathered.tokens[0].numpy(), [[8, 9], [10, 11], [0, 0]])
    np.testing.assert_allclose(gathered.mean().numpy(), [[9, 10], [2, 3], [6, 7]])
    with pytest.raises(ValueError, match="at least one token"):
        TokenSequences.gather(vectors, [0], [0])
