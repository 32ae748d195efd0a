"""Objectives on hand-made batches: every term teaches, order does not matter, no false negative."""

import pytest
import torch
from pydantic import TypeAdapter

from src.losses.aasm import AasmSchedule
from src.models.registry import build_member, model_config
from src.models.tokens import TokenSequences
from src.training.association_config import OptimizerConfig
from src.training.association_step import AssociationStep, TokenBatch
from src.training.objectives.aasm import AasmObjectiveConfig, scaled_schedule
from src.training.objectives.cafnet_published import CafNetPublishedObjective
from src.training.objectives.contract import EncodedBatch
from src.training.objectives.registry import AnyObjectiveConfig
from src.training.optimisation import learning_rate

PEOPLE, VOICE, FACE = 5, 6, 7
SPACE = {"name": "shared-space", "width": 4, "dropout": 0.0}
MODELS = {
    "aasm": {"name": "aasm", "voice_hidden": 8, "face_hidden": 8, "width": 4},
    "angular-margin": SPACE,
    "cafnet": {"name": "cafnet", "width": 8, "heads": 2, "hidden": 8, "dropout": 0.0},
    "cafnet-published": {"name": "cafnet-published", "width": 8},
    "fop": {"name": "fop", "width": 8, "dropout": 0.0},
    "infonce": SPACE,
    "mfv": {"name": "mfv", "hidden": 8, "width": 4, "fused_width": 8, "dropout": 0.0},
    "paeff": {"name": "paeff", "width": 8, "dropout": 0.0},
}


def batch_of(order, tokens=1):
    """Two voices and two faces of each person, people in the given order."""
    generator = torch.Generator().manual_seed(3)
    sides = []
    for dimension in (VOICE, FACE):
        items = torch.randn(PEOPLE, 2, tokens, dimension, generator=generator)[order].flatten(0, 1)
        sides.append(TokenSequences(items, torch.ones(items.shape[:2], dtype=torch.bool)))
    identities = order.repeat_interleave(2)
    return TokenBatch(
        people=PEOPLE,
        voice_identities=identities,
        face_identities=identities,
        voices=sides[0],
        faces=sides[1],
    )


def step_of(name):
    torch.manual_seed(1)
    config = TypeAdapter(AnyObjectiveConfig).validate_python({"name": name})
    model = build_member(model_config({**MODELS[name], "voice_dimension": VOICE, "face_dimension": FACE}))
    step = AssociationStep(model, config.build(model, PEOPLE, 1))
    return step.train()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_term_teaches(name):
    step = step_of(name)
    terms = step(batch_of(torch.arange(PEOPLE)))
    if name == "aasm":  # a schedule of one step: the triplets are on from the start
        assert step.objective.loss.schedule == AasmSchedule(triplets_from=0, weights_from=0, refresh_every=1)
    assert terms.shape == (len(step.objective.terms),)
    for term, value in zip(step.objective.terms, terms, strict=True):
        step.zero_grad()
        value.backward(retain_graph=True)
        largest = max(float(p.grad.abs().max()) for p in step.model.parameters() if p.grad is not None)
        assert largest > 0 or (name == "aasm" and float(value) == 0.0), term


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"cafnet-published"}))
def test_the_order_of_the_people_does_not_matter(name):
    first = step_of(name)(batch_of(torch.arange(PEOPLE)))
    second = step_of(name)(batch_of(torch.tensor([3, 0, 4, 1, 2])))
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


def test_the_released_cafnet_draws_no_false_negative():
    batch = batch_of(torch.tensor([3, 0, 4, 1, 2]))
    encoded = EncodedBatch(
        people=PEOPLE,
        voice_identities=batch.voice_identities,
        face_identities=batch.face_identities,
        voices=batch.voices.tokens,
        voice_mask=batch.voices.mask,
        faces=batch.faces.tokens,
        face_mask=batch.faces.mask,
    )
    voices, faces = CafNetPublishedObjective(1.5)._pairs(encoded)
    same = batch.voice_identities[voices] == batch.face_identities[faces]
    matching = PEOPLE * 4
    assert same[:matching].all()
    assert not same[matching:].any()
    assert len(same) == matching + 30


def test_what_is_gathered_is_what_the_objective_sees(monkeypatch):
    step, whole = step_of("infonce"), batch_of(torch.arange(PEOPLE))
    alone = step(whole).detach()
    monkeypatch.setattr("src.training.association_step.gather_rows", lambda own, people: torch.ones_like(own))
    alike = step(whole).detach()
    assert alike.isfinite().all()
    assert not torch.allclose(alike, alone), "nobody differs from anybody"


def test_the_schedule_of_aasm_shrinks_with_the_steps():
    assert scaled_schedule(27_000) == AasmSchedule()
    assert scaled_schedule(270) == AasmSchedule(triplets_from=69, weights_from=64, refresh_every=9)
    assert AasmObjectiveConfig().term_weights == (1.0, 1.0, 10.0, 10.0, 10.0)


def test_identity_weights_are_updated_in_training():
    step = step_of("aasm")
    for _ in range(4):
        step(batch_of(torch.arange(PEOPLE)))
    weights = step.objective.loss.weights.weights
    assert weights.isfinite().all()
    assert not torch.equal(weights, torch.ones(PEOPLE))


def test_rates_by_hand():
    common = {"learning_rate": 2.0, "weight_decay": 0.0}
    cosine = OptimizerConfig(**common, warmup_steps=4)
    assert learning_rate(cosine, 0, 100) == pytest.approx(0.5)
    assert learning_rate(cosine, 50, 100) == pytest.approx(1.0)
    assert learning_rate(cosine, 100, 100) == pytest.approx(0.0)
    step = OptimizerConfig(**common, schedule="step", step_at=(0.5, 0.8), step_factor=0.1)
    assert [learning_rate(step, at, 10) for at in (4, 5, 8)] == pytest.approx([2.0, 0.2, 0.02])
    assert learning_rate(OptimizerConfig(**common, schedule="constant"), 9, 10) == 2.0
