"""What the methods must keep that compare token with token: the released CAFNet and MFV-KSD."""

import pytest
import torch

from src.losses.pair import PairLoss
from src.models.cafnet_published import CafNetPublished
from src.models.ensemble import Ensemble
from src.models.mfv import Mfv
from src.models.pair_scoring import pair_similarities, similarity_matrix_of
from src.models.token_pairs import uniform_weights
from src.models.tokens import TokenSequences

METHODS = {
    "cafnet_published": lambda: CafNetPublished(6, 5, width=8, dropout=0.1),
    "mfv": lambda: Mfv(6, 5, hidden=7, width=8, fused_width=9),
}


def built(name, seed=0):
    torch.manual_seed(seed)
    return METHODS[name]().eval()


def sequences(items, longest, dimension, seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(items, longest, dimension, generator=generator)
    lengths = torch.randint(1, longest + 1, (items,), generator=generator)
    return TokenSequences(tokens, torch.arange(longest) < lengths[:, None])


VOICES, FACES = sequences(4, 3, 6, 1), sequences(3, 2, 5, 2)


@pytest.mark.parametrize("name", METHODS)
def test_a_pair_is_the_weighted_mean_over_its_tokens(name):
    model = built(name)
    voices, faces = model.encode_voices(VOICES.tokens), model.encode_faces(FACES.tokens)
    everything = model.compare_all(voices, VOICES.mask, faces, FACES.mask)
    weights = model.voice_weights(VOICES.mask)
    for v in range(4):
        for f in range(3):
            similarity, fused = torch.zeros(()), torch.zeros(model.fused_dimension)
            for t in range(3):
                for s in range(int(FACES.mask[f].sum())):
                    pair = model.combine(voices[v, t], faces[f, s])
                    weight = weights[v, t] / FACES.mask[f].sum()
                    similarity, fused = similarity + weight * pair.similarity, fused + weight * pair.fused
            torch.testing.assert_close(everything.similarity[v, f], similarity)
            torch.testing.assert_close(everything.fused[v, f], fused)


@pytest.mark.parametrize("name", METHODS)
def test_it_scores_listed_pairs_as_all_pairs_and_joins_ensembles(name):
    members = [built(name, seed) for seed in (0, 1)]
    model = Ensemble(members)
    matrix = similarity_matrix_of(model, VOICES, FACES, pairs_per_block=4)
    assert pair_similarities(model, VOICES, FACES, [0, 3], [1, 2]) == pytest.approx(matrix[[0, 3], [1, 2]])
    single = [similarity_matrix_of(member, VOICES, FACES) for member in members]
    assert matrix == pytest.approx((single[0] + single[1]) / 2)


@pytest.mark.parametrize("name", METHODS)
def test_voice_weights_are_a_mean(name):
    weights = built(name).voice_weights(VOICES.mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(4))
    assert not weights[~VOICES.mask].any()


@pytest.mark.parametrize("name", METHODS)
def test_every_weight_learns_from_the_pair_loss(name):
    model = built(name).train()
    similarity = model.similarity_matrix(VOICES.tokens, VOICES.mask, FACES.tokens, FACES.mask)
    PairLoss(1.0)(similarity, torch.eye(4, 3, dtype=torch.bool)).backward()
    still = [name for name, parameter in model.named_parameters() if not parameter.grad.any()]
    assert still == []


def test_uniform_weights_by_hand():
    mask = torch.tensor([[True, True, False], [True, False, False]])
    torch.testing.assert_close(uniform_weights(mask), torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]))
