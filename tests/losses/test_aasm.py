"""AaSM's terms together: gradients, permutation, the schedule, identity weights that are really updated."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from src.losses.aasm import AasmLoss, AasmSchedule, AasmTerms
from src.losses.equilibrium import CROSS_CONSTANT, EquilibriumLoss

AT_ONCE = AasmSchedule(triplets_from=0, weights_from=0, refresh_every=2)
LABELS = torch.arange(6)


def samples(seed=0, people=6, dimension=4):
    """Two voices and two faces of each person, alike enough to be trusted, not enough to be told apart."""
    generator = torch.Generator().manual_seed(seed)
    person = torch.randn(people, dimension, generator=generator)
    return [person + 0.7 * torch.randn(people, dimension, generator=generator) for _ in range(4)]


def test_the_cross_term_is_the_mean_of_both_directions():
    voices, faces, *more = samples()
    similarity = F.normalize(voices, dim=1) @ F.normalize(faces, dim=1).T
    rivals = ~torch.eye(6, dtype=torch.bool)
    loss = EquilibriumLoss(CROSS_CONSTANT)
    expected = 0.5 * (loss(similarity, rivals) + loss(similarity.T, rivals)).mean()
    torch.testing.assert_close(AasmLoss(6).eval()(voices, faces, *more, LABELS).cross, expected)


def test_anchors_keep_their_length_as_released():
    voices, faces, *more = samples()
    unit_voices, unit_faces = F.normalize(voices, dim=1), F.normalize(faces, dim=1)
    rivals = ~torch.eye(6, dtype=torch.bool)
    loss = EquilibriumLoss(CROSS_CONSTANT)
    expected = 0.5 * (loss(voices @ unit_faces.T, rivals) + loss(faces @ unit_voices.T, rivals)).mean()
    released = AasmLoss(6, unit_anchors=False).eval()(voices, faces, *more, LABELS).cross
    torch.testing.assert_close(released, expected)


@pytest.mark.parametrize("name", AasmTerms._fields)
def test_every_term_has_a_gradient(name):
    sides = [side.requires_grad_() for side in samples()]
    taught = {"triplet_cross": (0, 1), "triplet_voice": (0, 2), "triplet_face": (1, 3), "cross": (0, 1)}
    getattr(AasmLoss(6, AT_ONCE).eval()(*sides, LABELS), name).backward()
    for side in taught.get(name, range(4)):
        assert sides[side].grad.norm() > 1e-4


@pytest.mark.parametrize("name", AasmTerms._fields)
@given(seed=st.integers(0, 200))
def test_every_term_is_invariant_under_permutation(name, seed):
    loss = AasmLoss(6, AT_ONCE).eval()
    loss.weights.weights.copy_(torch.arange(1.0, 7.0))
    sides = samples(seed)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    turned = getattr(loss(*(side[order] for side in sides), LABELS[order]), name)
    torch.testing.assert_close(turned, getattr(loss(*sides, LABELS), name), rtol=1e-5, atol=1e-6)


def test_triplets_wait_for_their_step():
    loss = AasmLoss(6, AasmSchedule(triplets_from=2)).train()
    found = [loss(*samples(), LABELS).triplet_cross.item() for _ in range(4)]
    assert found[:2] == [0.0, 0.0]
    assert found[2] > 0
    assert found[2] == found[3]


def test_identity_weights_are_really_updated_and_really_used():
    loss = AasmLoss(6, AT_ONCE).train()
    before = loss(*samples(), LABELS)
    assert loss.weights.compared.tolist() == [5.0] * 6
    loss(*samples(), LABELS)
    after = loss(*samples(), LABELS)
    assert (loss.weights.weights != 1).all()
    assert torch.isfinite(loss.weights.weights).all()
    assert loss.weights.compared.tolist() == [5.0] * 6
    assert after.triplet_cross != before.triplet_cross
    torch.testing.assert_close(after.cross, before.cross)


def test_evaluation_counts_nothing():
    loss = AasmLoss(6, AT_ONCE).eval()
    loss(*samples(), LABELS)
    assert loss.step == 0
    assert not loss.weights.compared.any()


def test_counts_and_step_survive_a_restart():
    loss = AasmLoss(6, AT_ONCE).train()
    loss(*samples(1), LABELS)
    resumed = AasmLoss(6, AT_ONCE).train()
    resumed.load_state_dict(loss.state_dict())
    for _ in range(3):
        assert loss(*samples(2), LABELS) == resumed(*samples(2), LABELS)


def test_an_impossible_schedule_is_refused():
    with pytest.raises(ValueError, match="refresh_every"):
        AasmSchedule(refresh_every=0)
