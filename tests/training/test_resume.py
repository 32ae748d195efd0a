"""A training that was killed goes on to the same bits; a loss that turns NaN keeps the best epoch before it."""

import pandas as pd
import pytest
import torch

import train
from src.artifacts.checkpoints import LOG_FILE, VALIDATION_SCORES_FILE, load_checkpoint
from src.core.errors import TrainingError
from src.training.association_member import Member
from src.training.training_progress import STATE_FILE, TrainingProgress
from tests.features.made_up_stores import write_stores

RECIPE = """
recipe: association
model: {name: fop, width: 8, dropout: 0.3, members: 2}
objective: {name: fop}
batch: {identities: 4, voices_per_identity: 2, faces_per_identity: 2, voice_tokens: 1, face_tokens: 1}
optimizer: {name: adamw, learning_rate: 1.0e-2, weight_decay: 0.01, gradient_clip: 1.0, average_decay: 0.8}
validation: {folds: 3, every_steps: 3, patience: 9}
steps: 12
"""
SGD = ["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.schedule=step", "optimizer.step_at=[0.5]"]
AASM = ["model={name: aasm, voice_hidden: 4, face_hidden: 4, width: 4}", "objective={name: aasm}"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    write_stores(folder / "features", people=12, items=4, windows=2)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(recipe, out, *more, settings=()):
    arguments = ["--features", str(recipe / "features"), "--language", "English", "--device", "cpu"]
    sets = [word for setting in settings for word in ("--set", setting)]
    return train.main([str(recipe / "recipe.yaml"), *arguments, "--out", str(out), *sets, *more])


def kill_after(monkeypatch, epochs):
    """Let the training die as soon as it has written so many states."""
    save, left = TrainingProgress.save, [epochs]

    def save_and_die(self, state):
        save(self, state)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "save", save_and_die)


@pytest.mark.parametrize("settings", [[], [*SGD, *AASM]], ids=["adamw", "sgd, buffers of the objective"])
def test_killed_and_resumed_it_ends_with_the_same_bits(recipe, tmp_path, monkeypatch, settings):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(recipe, whole, settings=settings) == 0
    with monkeypatch.context() as patched:
        kill_after(patched, 2)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, killed, settings=settings)
    assert (killed / STATE_FILE).is_file()
    torch.rand(7)  # the generators are where the kill left them, not where they were
    assert run(recipe, killed, "--resume", settings=settings) == 0
    first, second = load_checkpoint(whole), load_checkpoint(killed)
    assert first.weights.keys() == second.weights.keys()
    assert all(torch.equal(second.weights[name], tensor) for name, tensor in first.weights.items())
    assert (whole / LOG_FILE).read_bytes() == (killed / LOG_FILE).read_bytes()
    assert (whole / VALIDATION_SCORES_FILE).read_bytes() == (killed / VALIDATION_SCORES_FILE).read_bytes()
    assert not (killed / STATE_FILE).exists()


def test_a_stopped_training_is_not_overwritten_nor_gone_on_with_by_other_settings(
    recipe, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        kill_after(patched, 1)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tmp_path)
    with pytest.raises(TrainingError, match="Go on with --resume"):
        run(recipe, tmp_path)
    with pytest.raises(TrainingError, match="other settings"):
        run(recipe, tmp_path, "--resume", settings=["optimizer.learning_rate=0.5"])


def test_resume_without_a_state_begins(recipe, tmp_path):
    assert run(recipe, tmp_path, "--resume", settings=["steps=3"]) == 0
    assert load_checkpoint(tmp_path).metrics["epochs_trained"] == 1


def test_a_loss_that_turns_nan_keeps_the_best_epoch_and_names_the_term(recipe, tmp_path, monkeypatch):
    forward, calls = torch.nn.functional.cross_entropy, [0]

    def spoilt(*arguments, **settings):
        calls[0] += 1
        return forward(*arguments, **settings) * (float("nan") if calls[0] > 14 else 1.0)

    monkeypatch.setattr("src.losses.fop.F.cross_entropy", spoilt)
    message = r"in member 0 at step 9: identity\. .*holds the weights of epoch [12], the best before"
    with pytest.raises(TrainingError, match=message):
        run(recipe, tmp_path)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.metrics["epochs_trained"] == 2
    assert all(tensor.isfinite().all() for tensor in checkpoint.weights.values())
    assert len(pd.read_csv(tmp_path / LOG_FILE)) == 4


def test_bfloat16_and_a_constant_rate(recipe, tmp_path):
    settings = ["optimizer.precision=bfloat16", "optimizer.schedule=constant", "optimizer.average_decay=0"]
    assert run(recipe, tmp_path, settings=settings) == 0
    checkpoint = load_checkpoint(tmp_path)
    assert all(tensor.dtype != torch.bfloat16 for tensor in checkpoint.weights.values())
    assert pd.read_csv(tmp_path / LOG_FILE)["learning_rate"].nunique() == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["optimizer.name=sgd"], "momentum belongs to sgd"),
        (["optimizer.momentum=0.9"], "momentum belongs to sgd"),
        (["optimizer.schedule=step"], "step_at belongs to the schedule"),
        (["optimizer.step_at=[0.5]"], "step_at belongs to the schedule"),
        (["optimizer.gradient_clip=0"], "gradient_clip must be above 0"),
        (["objective.weights={identity: 1}"], "must name the terms of fop: identity, orthogonal_projection"),
        (["objective.weights={identity: -1, orthogonal_projection: 1}"], "must not be negative"),
        (["objective.weights={identity: 0, orthogonal_projection: 0}"], "nothing is learned"),
        (["objective.name=foop"], "foop"),
        (["objective.name=paeff"], "trains Paeff, not Fop"),
        (["objective.alpha=1"], "alpha: unknown key"),
        (["objective={name: closed-form}"], "a closed form takes no batch"),
        (["batch=null"], "needs the sections batch and optimizer"),
        (["objective={name: aasm}", "batch.voices_per_identity=1"], "must be 2: a sample and a second"),
        (["model.voice_dimension=7"], "voice_dimension is 7, but .* holds vectors of 6 numbers"),
        (["model={name: linear-cca, width: 3}"], "needs the section alignment"),
        (["model={name: shared-space, width: 4, dropout: 0.1, canonical_width: 5}"], "from 1 to width"),
    ],
)
def test_contradictions_are_errors_before_the_first_step(recipe, tmp_path, monkeypatch, settings, message):
    monkeypatch.setattr(Member, "train", lambda *_: pytest.fail("a step was taken"))
    with pytest.raises(Exception, match=message) as raised:
        run(recipe, tmp_path, settings=settings)
    assert raised.type.__name__ == "ConfigError"
    assert not list(tmp_path.iterdir())


def test_adaptation_refuses_foreign_weights(recipe, tmp_path):
    start = tmp_path / "first"
    assert run(recipe, start, settings=["steps=3"]) == 0
    begin = [f"start_from={start}"]
    for more, settings, message in (
        (["--seed", "1"], [], "people who would validate member 0"),
        ([], ["model.width=4"], "another model: width 8, not 4"),
    ):
        with pytest.raises(Exception, match=message):
            run(recipe, tmp_path / "second", *more, settings=[*begin, *settings])
    config = (start / "config.json").read_text().replace('"language": "English"', '"language": "Urdu"')
    (start / "config.json").write_text(config)
    with pytest.raises(Exception, match=r"trained on Urdu.*unheard at every stage"):
        run(recipe, tmp_path / "second", settings=begin)
