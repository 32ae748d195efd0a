"""PAEFF: parity with the release, the alignment, and what its hyperbolic distance amounts to."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from src.core.errors import WeightsError
from src.losses.contrastive import ContrastiveLoss
from src.models.paeff import Paeff, paeff_state_from_published
from src.models.published_names import fill_exactly


def paeff(geometry="released", seed=0):
    torch.manual_seed(seed)
    return Paeff(6, 5, width=8, geometry=geometry).eval()


@torch.no_grad()
def test_equals_the_released_code(golden):
    arrays = {name: torch.from_numpy(np.asarray(array)) for name, array in golden("paeff").items()}
    state = paeff_state_from_published(
        {name.removeprefix("state/"): array for name, array in arrays.items() if name.startswith("state/")}
    )
    model, classifier = Paeff(48, 96, width=32).eval(), torch.nn.Linear(32, 10)
    fill_exactly(model, {name: array for name, array in state.items() if not name.startswith("classifier")})
    fill_exactly(classifier, {name: state[f"classifier.{name}"] for name in ("weight", "bias")})
    voices, faces = model.embed_voices(arrays["voice"]), model.embed_faces(arrays["face"])
    fused = model.fuse(voices, faces)
    found = {
        "voice_out": F.gelu(voices),
        "face_out": F.gelu(faces),
        "fused": fused,
        "logits": classifier(fused),
        "voice_poincare": model.points(voices),
        "face_poincare": model.points(faces),
        "alignment_loss": ContrastiveLoss()(model.alignment(voices, faces), torch.eye(16, dtype=torch.bool)),
    }
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, arrays[name], rtol=1e-5, atol=1e-6, msg=name)
    score = -model.likeness(voices, faces)
    torch.testing.assert_close(
        score, (arrays["voice_out"] - arrays["face_out"]).norm(dim=1), rtol=1e-5, atol=0
    )


def test_a_foreign_state_is_refused():
    with pytest.raises(WeightsError, match="elsewhere"):
        paeff_state_from_published({"elsewhere.weight": torch.zeros(1)})


def test_gate_by_hand():
    model = paeff()
    with torch.no_grad():
        model.gate.weight.zero_()
        model.gate.bias.zero_()  # both sides share alike
        model.mixing.weight.copy_(torch.eye(8))
        model.mixing.bias.zero_()
    voices, faces = torch.eye(8)[:2], torch.eye(8)[2:4]
    torch.testing.assert_close(model.fuse(voices, faces), torch.tanh(0.5 * (voices + faces)))


@given(seed=st.integers(0, 200))
def test_over_unit_vectors_hyperbolic_distance_orders_pairs_as_the_cosine(seed):
    model = paeff("hyperbolic")
    generator = torch.Generator().manual_seed(seed)
    voices, faces = F.normalize(torch.randn(2, 12, 8, generator=generator, dtype=torch.float64), dim=-1)
    likeness, cosine = model.likeness(voices, faces), (voices * faces).sum(-1)
    assert torch.equal(likeness.argsort(), cosine.argsort())


def test_hyperbolic_alignment_is_its_likeness_over_the_temperature():
    model = paeff("hyperbolic")
    voices, faces = F.normalize(torch.randn(2, 4, 8), dim=-1)
    logits = model.alignment(voices, faces)
    torch.testing.assert_close(logits.diagonal(), model.likeness(voices, faces) / 0.07)
    assert logits.argmax() == (voices @ faces.T).argmax()


@pytest.mark.parametrize("geometry", ["released", "hyperbolic"])
def test_the_alignment_has_a_gradient_and_knows_no_order(geometry):
    model = paeff(geometry)
    voices, faces = F.normalize(torch.randn(2, 4, 8), dim=-1)
    same = torch.eye(4, dtype=torch.bool)
    voices.requires_grad_()
    loss = ContrastiveLoss()(model.alignment(voices, faces), same)
    loss.backward()
    assert (voices.grad.norm(dim=1) > 1e-4).all()
    order = torch.tensor([2, 0, 3, 1])
    turned = ContrastiveLoss()(model.alignment(voices[order], faces[order]), same)
    torch.testing.assert_close(turned, loss)
