import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.losses.cafnet_published import CafNetPublishedLoss, CafNetPublishedTerms


def sides(seed=0):
    return torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(seed)).unbind()


def test_by_hand():
    voices = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    faces = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    fused = torch.tensor([[-3.0, 0.0], [1.0, 1.0]])
    terms = CafNetPublishedLoss()(voices, faces, fused)
    assert terms.projection.item() == pytest.approx((1 + 1 / math.sqrt(2)) / 2 + (0 + 1 / math.sqrt(2)) / 2)
    assert terms.contrast.item() == pytest.approx(math.log(2))


def test_equals_the_released_code(golden):
    arrays = golden("cafnet_published")
    terms = CafNetPublishedLoss()(arrays["voice_out"], arrays["face_out"], arrays["fused"])
    torch.testing.assert_close(terms.projection, arrays["fop_loss"], rtol=1e-5, atol=0)
    torch.testing.assert_close(terms.contrast, arrays["nt_xent"], rtol=1e-5, atol=0)


def test_the_projection_turns_the_fused_embedding_away():
    voices, faces, fused = (side.requires_grad_() for side in sides())
    terms = CafNetPublishedLoss()(voices, faces, fused)
    terms.projection.backward()
    with torch.no_grad():
        smaller = CafNetPublishedLoss()(voices, faces, fused - 0.1 * fused.grad).projection
        cosines = torch.nn.functional.cosine_similarity(fused - 0.1 * fused.grad, voices).abs()
        before = torch.nn.functional.cosine_similarity(fused, voices).abs()
    assert smaller < terms.projection
    assert cosines.mean() < before.mean()


@pytest.mark.parametrize("name", CafNetPublishedTerms._fields)
def test_every_term_has_a_gradient(name):
    voices, faces, fused = (side.requires_grad_() for side in sides())
    getattr(CafNetPublishedLoss()(voices, faces, fused), name).backward()
    assert (voices.grad.norm(dim=1) > 1e-6).all()
    assert (faces.grad.norm(dim=1) > 1e-6).all()


@pytest.mark.parametrize("name", CafNetPublishedTerms._fields)
@given(seed=st.integers(0, 1000))
def test_every_term_is_invariant_under_permutation(name, seed):
    batch = sides(seed)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    expected = getattr(CafNetPublishedLoss()(*batch), name)
    torch.testing.assert_close(
        getattr(CafNetPublishedLoss()(*(side[order] for side in batch)), name), expected, rtol=1e-5, atol=1e-6
    )


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="of one shape"):
        CafNetPublishedLoss()(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 4))
