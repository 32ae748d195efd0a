import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from src.losses.additive_angular_margin import AdditiveAngularMarginLoss


def loss_with_centres(centres, **options):
    loss = AdditiveAngularMarginLoss(classes=len(centres), dimension=centres.shape[1], **options)
    loss.centres.data = centres
    return loss


def test_a_hand_computed_value():
    loss = loss_with_centres(torch.eye(2), scale=2.0, margin=0.5)
    angle = math.radians(30)
    vector = torch.tensor([[3 * math.cos(angle), 3 * math.sin(angle)]])
    own, other = 2 * math.cos(angle + 0.5), 2 * math.cos(math.radians(60))
    assert loss(vector, torch.tensor([0])).item() == pytest.approx(
        math.log(math.exp(own) + math.exp(other)) - own, rel=1e-5
    )


def test_without_margin_it_is_the_cross_entropy_of_scaled_cosines():
    torch.manual_seed(0)
    centres, vectors, labels = torch.randn(5, 8), torch.randn(16, 8), torch.randint(5, (16,))
    cosines = F.normalize(vectors) @ F.normalize(centres).T
    expected = F.cross_entropy(30 * cosines, labels)
    assert torch.allclose(loss_with_centres(centres, margin=0.0)(vectors, labels), expected, rtol=1e-4)


@given(st.floats(0.0, math.pi - 0.01), st.floats(0.01, 0.6))
def test_the_loss_grows_with_the_angle_to_the_own_centre(angle, margin):
    loss = loss_with_centres(torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]), scale=5.0, margin=margin)
    angles = torch.tensor([angle, angle + 0.009])
    vectors = torch.stack([angles.cos(), angles.sin(), torch.zeros(2)], dim=1)
    near, far = (loss(vector[None], torch.tensor([0])).item() for vector in vectors)
    assert far >= near - 1e-4


def test_gradients_reach_embeddings_and_centres_even_at_a_centre():
    loss = loss_with_centres(torch.eye(3))
    vectors = torch.eye(3, requires_grad=True)
    loss(vectors + 0.1, torch.tensor([0, 1, 2])).backward()
    assert vectors.grad.abs().sum() > 0
    assert loss.centres.grad.abs().sum() > 0
    exact = torch.eye(3, requires_grad=True)
    loss(exact, torch.tensor([0, 1, 2])).backward()
    assert torch.isfinite(exact.grad).all()


@pytest.mark.parametrize("options", [{"classes": 1}, {"scale": 0.0}, {"margin": 1.6}, {"margin": -0.1}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        AdditiveAngularMarginLoss(**{"classes": 3, "dimension": 4, **options})


def test_classes_of_other_groups_do_not_compete():
    torch.manual_seed(0)
    embeddings, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 4, 2])
    grouped = AdditiveAngularMarginLoss(classes=5, dimension=4, groups=torch.tensor([0, 0, 1, 1, 1]))
    for classes in ([0, 1], [2, 3, 4]):
        rows = torch.isin(labels, torch.tensor(classes))
        alone = AdditiveAngularMarginLoss(classes=len(classes), dimension=4)
        alone.centres.data = grouped.centres.data[classes]
        expected = alone(embeddings[rows], labels[rows] - classes[0])
        assert torch.allclose(grouped(embeddings[rows], labels[rows]), expected, atol=1e-6)
    grouped(embeddings, labels).backward()
    assert grouped.centres.grad.isfinite().all()
    assert grouped.centres.grad.abs().sum(dim=1).min() > 0
