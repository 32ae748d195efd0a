import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.losses.additive_angular_margin import AdditiveAngularMarginLoss
from src.losses.contrastive import ContrastiveLoss
from src.models.shared_space import SharedSpace


def shared_space(**changes):
    torch.manual_seed(0)
    return SharedSpace(6, 5, **{"width": 4, "hidden": None, "dropout": 0.0, **changes})


def test_by_hand():
    model = SharedSpace(2, 2, width=2, hidden=None, dropout=0.0)
    with torch.no_grad():
        for projection in (model.voice_projection, model.face_projection):
            projection[1].weight.copy_(torch.eye(2))
            projection[1].bias.zero_()
    voices = model.embed_voices(torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(voices, torch.tensor([[0.6, 0.8]]))
    likeness = model.likeness(voices, model.embed_faces(torch.tensor([[0.0, 7.0]])))
    torch.testing.assert_close(likeness, torch.tensor([0.8 / 0.07]))


@given(st.floats(-1e3, 1e3))
def test_the_scale_stays_within_its_bounds(logit):
    model = shared_space()
    with torch.no_grad():
        model.scale_logit.fill_(logit)
    assert 0 <= model.likeness(torch.ones(1, 4), torch.ones(1, 4)).item() <= 100.0 * (1 + 1e-6)


def trained(model, losses_of, steps=12):
    """Loss before and after some steps on six people, two voices and two faces each."""
    labels = torch.arange(12) % 6
    person = torch.randn(6, 5)
    faces = person[labels] + 0.1 * torch.randn(12, 5)
    voices = (person @ torch.randn(5, 6))[labels] + 0.1 * torch.randn(12, 6)
    parameters, loss = losses_of(model)
    optimizer = torch.optim.Adam([*model.parameters(), *parameters], lr=0.1)
    history = []
    for _ in range(steps):
        value = loss(model.embed_voices(voices), model.embed_faces(faces), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    likeness = model.eval().likeness(model.embed_voices(voices)[:, None], model.embed_faces(faces)[None])
    same = labels[:, None] == labels[None]
    return history, likeness[same].mean() - likeness[~same].mean()


def angular_margin(model):
    margin = AdditiveAngularMarginLoss(classes=6, dimension=model.fused_dimension)
    return margin.parameters(), lambda v, f, labels: margin(torch.cat([v, f]), labels.repeat(2))


def info_nce(model):
    def loss(voices, faces, labels):
        return ContrastiveLoss()(
            model.likeness(voices[:, None], faces[None]), labels[:, None] == labels[None]
        )

    return (), loss


@pytest.mark.parametrize("hidden", [None, 16])
@pytest.mark.parametrize("losses_of", [angular_margin, info_nce])
def test_either_loss_brings_a_persons_voices_and_faces_together(losses_of, hidden):
    history, gap = trained(shared_space(hidden=hidden), losses_of)
    assert history[-1] < 0.7 * history[0]
    assert gap > 0
