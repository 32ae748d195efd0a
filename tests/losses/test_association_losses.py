"""Losses of the association head: hand-made cases, parity, gradient of every term, permutation invariance."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.losses.contrastive import ContrastiveLoss
from src.losses.fop import FopLoss
from src.losses.orthogonal_projection import OrthogonalProjectionLoss
from src.losses.pair import PairLoss


def batch(seed, size=12, dimension=6, identities=4):
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(size, dimension, generator=generator)
    labels = torch.arange(size) % identities
    return embeddings, labels


def test_orthogonal_projection_by_hand():
    # identity 0: (1, 0) and (0, 2), cosine 0; identity 1: (1, 1). Against it each has the cosine 1/√2.
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    labels = torch.tensor([0, 0, 1])
    loss = OrthogonalProjectionLoss(0.7)(embeddings, labels)
    assert loss.item() == pytest.approx(1.0 + 0.7 / math.sqrt(2.0))
    opposite = OrthogonalProjectionLoss(0.7)(embeddings * torch.tensor([[1.0], [1.0], [-1.0]]), labels)
    assert opposite.item() == pytest.approx(loss.item())


def test_orthogonal_projection_is_zero_for_orthogonal_identities():
    embeddings = torch.tensor([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 5.0]])
    assert OrthogonalProjectionLoss()(embeddings, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(0.0)


def test_orthogonal_projection_equals_the_published_code(golden):
    arrays = golden("orthogonal_projection_loss")
    features = arrays["features"].requires_grad_()
    loss = OrthogonalProjectionLoss(0.7)(features, arrays["labels"])
    loss.backward()
    np.testing.assert_allclose(loss.item(), arrays["loss"], rtol=1e-5)
    np.testing.assert_allclose(features.grad.numpy(), arrays["grad"], rtol=1e-4, atol=1e-7)


def test_fop_terms_by_hand():
    loss = FopLoss(2, 2)
    with torch.no_grad():
        loss.classifier.weight.copy_(torch.eye(2))
        loss.classifier.bias.zero_()
    terms = loss(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    assert terms.identity.item() == pytest.approx(math.log(1 + math.exp(-1)))
    assert terms.orthogonal_projection.item() == pytest.approx(0.0)


def test_pair_loss_by_hand():
    similarity, same = torch.tensor([[2.0, -1.0], [0.0, 1.0]]), torch.eye(2, dtype=torch.bool)
    positive = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    negative = (math.log(1 + math.exp(-1)) + math.log(2)) / 2
    assert PairLoss(1.5)(similarity, same).item() == pytest.approx((positive + 1.5 * negative) / 2.5)


def test_contrastive_loss_by_hand():
    # one voice of each of two people; person 0 has two faces (columns 0, 1), which are no rivals of each other
    similarity = torch.tensor([[1.0, 3.0, 0.0], [2.0, 0.0, 1.0]])
    same = torch.tensor([[True, True, False], [False, False, True]])

    def term(own, *rivals):
        return -math.log(math.exp(own) / (math.exp(own) + sum(map(math.exp, rivals))))

    by_voice = (term(1, 0) + term(3, 0) + term(1, 2, 0)) / 3
    by_face = (term(1, 2) + term(3, 0) + term(1, 0)) / 3
    assert ContrastiveLoss()(similarity, same).item() == pytest.approx(0.5 * (by_voice + by_face))


def fop_identity(embeddings, labels):
    torch.manual_seed(0)
    return FopLoss(embeddings.shape[1], 4)(embeddings, labels).identity


LOSSES = {
    "orthogonal_projection": lambda x, y: OrthogonalProjectionLoss()(x, y),
    "orthogonal_projection_same": lambda x, y: OrthogonalProjectionLoss(0.0)(x, y),
    "identity": fop_identity,
    "pair": lambda x, y: PairLoss()(x @ x.T, y[:, None] == y[None]),
    "contrastive": lambda x, y: ContrastiveLoss()(x @ x.T, y[:, None] == y[None]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_term_has_a_gradient_for_every_embedding(name):
    embeddings, labels = batch(1)
    embeddings.requires_grad_()
    LOSSES[name](embeddings, labels).backward()
    assert (embeddings.grad.norm(dim=1) > 1e-6).all()


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 1000))
def test_every_term_is_invariant_under_permutation(name, seed):
    embeddings, labels = batch(seed)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed + 1))
    torch.testing.assert_close(
        LOSSES[name](embeddings[order], labels[order]), LOSSES[name](embeddings, labels), rtol=1e-5, atol=1e-6
    )


def test_different_identity_term_has_a_gradient_of_its_own():
    embeddings, _ = batch(2)
    embeddings.requires_grad_()
    OrthogonalProjectionLoss()(embeddings, torch.arange(len(embeddings))).backward()
    assert embeddings.grad.abs().max() > 1e-4


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_pair_losses_stay_finite_for_large_similarities(scale):
    similarity = scale * torch.tensor([[-1.0, 1.0], [1.0, -1.0]], requires_grad=True)
    same = torch.eye(2, dtype=torch.bool)
    for loss in (PairLoss(), ContrastiveLoss()):
        assert torch.isfinite(loss(similarity, same))


def test_refuse_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="embeddings must be"):
        OrthogonalProjectionLoss()(torch.zeros(3, 2), torch.zeros(4, dtype=torch.long))
    with pytest.raises(ValueError, match="must be integers"):
        OrthogonalProjectionLoss()(torch.zeros(3, 2), torch.zeros(3))
    with pytest.raises(ValueError, match="differ in shape"):
        PairLoss()(torch.zeros(3), torch.zeros(4, dtype=torch.bool))
    with pytest.raises(ValueError, match="matrices of one shape"):
        ContrastiveLoss()(torch.zeros(3), torch.zeros(3, dtype=torch.bool))
    with pytest.raises(ValueError, match="must be positive"):
        PairLoss(0.0)
