"""What every two-branch method must keep, tried on all of them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.models.aasm import Aasm
from src.models.canonical_correlation import AffineMap
from src.models.ensemble import Ensemble
from src.models.fop import Fop
from src.models.linear_cca import LinearCca
from src.models.paeff import Paeff
from src.models.pair_scoring import pair_similarities, similarity_matrix_of
from src.models.shared_space import SharedSpace
from src.models.tokens import TokenSequences
from src.models.two_branch import midpoint

VOICE, FACE = 6, 5


def cca():
    model = LinearCca(VOICE, FACE, width=4)
    model.fit_inputs(*(AffineMap(torch.randn(d).numpy(), torch.randn(d, 3).numpy()) for d in (VOICE, FACE)))
    return model


METHODS = {
    "fop_gated": lambda: Fop(VOICE, FACE, width=8),
    "fop_linear": lambda: Fop(VOICE, FACE, width=8, fusion="linear"),
    "paeff": lambda: Paeff(VOICE, FACE, width=8),
    "paeff_hyperbolic": lambda: Paeff(VOICE, FACE, width=8, geometry="hyperbolic"),
    "aasm": lambda: Aasm(VOICE, FACE, voice_hidden=7, face_hidden=7, width=8),
    "linear_cca": cca,
    "shared_space": lambda: SharedSpace(VOICE, FACE, width=8, hidden=None, dropout=0.1),
    "shared_space_hidden": lambda: SharedSpace(VOICE, FACE, width=8, hidden=7, dropout=0.1, aligned_width=4),
}


def built(name, seed=0):
    torch.manual_seed(seed)
    return METHODS[name]().eval()


def sequences(items, longest, dimension, seed):
    """Random sequences of different lengths; what stands in the padding is garbage."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(items, longest, dimension, generator=generator)
    lengths = torch.randint(1, longest + 1, (items,), generator=generator)
    return TokenSequences(tokens, torch.arange(longest) < lengths[:, None])


VOICES, FACES = sequences(4, 3, VOICE, 1), sequences(3, 2, FACE, 2)


@pytest.mark.parametrize("name", METHODS)
def test_listed_pairs_equal_all_pairs(name):
    model = built(name)
    voices, faces = model.encode_voices(VOICES.tokens), model.encode_faces(FACES.tokens)
    everything = model.compare_all(voices, VOICES.mask, faces, FACES.mask)
    assert everything.fused.shape == (4, 3, model.fused_dimension)
    v, f = torch.tensor([0, 3, 3]), torch.tensor([2, 0, 1])
    listed = model.compare(voices[v], VOICES.mask[v], faces[f], FACES.mask[f])
    torch.testing.assert_close(listed.similarity, everything.similarity[v, f])
    torch.testing.assert_close(listed.fused, everything.fused[v, f])


@pytest.mark.parametrize("name", METHODS)
def test_with_one_token_it_is_the_method_itself(name):
    model = built(name)
    voices, faces = VOICES.tokens[:3, 0], FACES.tokens[:, 0]
    one = torch.ones(3, 1, dtype=torch.bool)
    expected = model.likeness(model.embed_voices(voices), model.embed_faces(faces))
    torch.testing.assert_close(model.similarity(voices[:, None], one, faces[:, None], one), expected)


@pytest.mark.parametrize("name", METHODS)
def test_padding_does_not_count(name):
    model = built(name)
    other = VOICES.tokens + 5.0 * ~VOICES.mask[..., None]
    expected = model.similarity_matrix(VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask)
    found = model.similarity_matrix(other, VOICES.mask, FACES.tokens, FACES.mask)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", METHODS)
def test_it_scores_and_joins_ensembles(name):
    members = [built(name, seed) for seed in (0, 1)]
    model = Ensemble(members)
    matrix = similarity_matrix_of(model, VOICES, FACES, pairs_per_block=4)
    assert pair_similarities(model, VOICES, FACES, [0, 3], [1, 2]) == pytest.approx(matrix[[0, 3], [1, 2]])
    single = [similarity_matrix_of(member, VOICES, FACES) for member in members]
    assert matrix == pytest.approx((single[0] + single[1]) / 2)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "linear_cca"])
def test_every_weight_learns(name):
    model = built(name).train()
    similarity, fused = model.compare_all(
        model.encode_voices(VOICES.tokens), VOICES.mask, model.encode_faces(FACES.tokens), FACES.mask
    )
    (similarity.square().sum() + (fused * torch.randn_like(fused)).sum()).backward()
    still = [
        parameter_name
        for parameter_name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert still == []


def test_the_floor_has_nothing_to_learn():
    assert list(cca().parameters()) == []


@given(seed=st.integers(0, 100))
def test_the_midpoint_takes_both_sides_alike(seed):
    voices, faces = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(midpoint(voices, faces), midpoint(5.0 * faces, voices))


def test_midpoint_by_hand():
    joint = midpoint(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 0.1]]))
    torch.testing.assert_close(joint, torch.tensor([[0.5, 0.5]]))
