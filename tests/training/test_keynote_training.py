"""Training of the keynote network on conversations among a handful of made voices."""

import numpy as np
import pytest
import torch

import train
from src.artifacts.checkpoints import load_checkpoint
from src.core.errors import WeightsError
from src.encoders.keynote_weights import load_keynote
from src.media.audio import write_audio
from src.training.keynote_conversations import ExampleDrawer, SimulatedConversation

ENCODER = ["--set", "optimisation.epochs=1", "--set", "optimisation.steps_per_epoch=1"]
ENCODER += ["--set", "optimisation.batch_size=4", "--set", "validation_crops=2"]
ENCODER += ["--set", "attributes.weight=0", "--set", "attributes.numeric=[]"]
ENCODER += ["--set", "network.channels=[16,16,16,16,48]", "--set", "network.dimension=12"]
SHORT = ["simulation.conversations=4", "simulation.validation_conversations=2", "simulation.seconds=6"]
SHORT += ["epochs=2", "batch_size=2", "network.width=16", "network.heads=2", "network.layers=1"]
SHORT += ["simulation.corpus_weights=[]"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voices")
    stream = np.random.default_rng(0)
    for person in range(8):
        time_seconds = np.arange(80_000) / 16_000
        voice = 0.2 * np.sign(np.sin(2 * np.pi * (90 + 25 * person) * time_seconds))
        write_audio(folder / f"p{person}/0.wav", voice + 0.01 * stream.standard_normal(80_000))
    return folder


def test_the_network_is_trained_on_one_corpus_and_says_on_what(corpus, tmp_path):
    words = ["--media", str(corpus)]
    config = "configs/encoders/ecapa-compact.yaml"
    assert train.main([config, *words, *ENCODER, "--out", str(tmp_path / "encoder")]) == 0
    settings = [*SHORT, f"encoder={tmp_path / 'encoder'}"]
    overrides = [word for setting in settings for word in ("--set", setting)]
    assert train.main(["configs/keynote.yaml", *words, *overrides, "--out", str(tmp_path / "keynote")]) == 0
    checkpoint = load_checkpoint(tmp_path / "keynote")
    assert len(checkpoint.config["identities"]["validation"]) == 2
    assert 0 <= checkpoint.metrics["validation_purity"] <= 1
    assert len((tmp_path / "keynote" / "training_log.csv").read_text().splitlines()) == 3
    loaded = load_keynote(tmp_path / "keynote", torch.device("cpu"))
    state = load_checkpoint(tmp_path / "encoder").weights
    assert all(
        torch.equal(tensor.float(), loaded.encoder.network.state_dict()[name])
        for name, tensor in state.items()
    )
    with pytest.raises(WeightsError, match="missing or damaged"):
        load_keynote(tmp_path / "encoder", torch.device("cpu"))


def conversation(people, active):
    """Features in which the local vector of each token is the one-hot vector of who speaks."""
    active = np.repeat(np.array(active, bool), 10, axis=0)
    vectors = torch.zeros(len(active) // 10, 8)
    for token in range(len(vectors)):
        for column in np.flatnonzero(active[10 * token]):
            vectors[token, people[column]] = 1
    return SimulatedConversation(
        bands=torch.zeros(len(active), 4),
        tokens=torch.zeros(len(vectors), 4),
        vectors=vectors,
        people=people,
        active=active,
    )


@pytest.fixture
def conversations():
    first = conversation((1, 2), [[1, 0]] * 6 + [[1, 1]] * 2 + [[0, 1]] * 5)
    second = conversation((3, 1), [[1, 0]] * 8 + [[0, 1]] * 5)
    return [first, second]


def test_unprompted_answers_are_of_who_talks_most(conversations):
    drawer = ExampleDrawer(conversations, 1.0, 0.0)
    features, prompts, answers = drawer.batch([0, 1], np.random.default_rng(0))
    assert features.bands.shape == (2, 130, 4)
    assert not prompts.any()
    assert answers[0, :, 0].sum() == 80  # person 1, alone or not
    assert answers[0, :, 1].sum() == 70  # person 2
    assert answers[1, :80, 0].all()


def test_prompted_answers_are_of_whom_the_prompt_is_like(conversations):
    drawer = ExampleDrawer(conversations, 0.0, 0.0)
    stream = np.random.default_rng(0)
    for _ in range(40):
        _, prompts, answers = drawer.batch([0, 1], stream)
        for one, prompt, answer in zip(conversations, prompts, answers, strict=True):
            column = one.people.index(int(prompt.argmax()))
            assert np.array_equal(answer[:, 0].numpy() > 0, one.active[:, column])


def test_somebody_who_is_not_there_never_speaks(conversations):
    drawer = ExampleDrawer(conversations, 0.0, 1.0)
    stream = np.random.default_rng(0)
    absent = 0
    for _ in range(40):
        _, prompts, answers = drawer.batch([0], stream)
        if int(prompts[0].argmax()) not in conversations[0].people:
            absent += 1
            assert not answers[0, :, 0].any()
            assert answers[0, :, 1].all()
    assert absent > 0
