"""Normalised and pooled scores against sums over the made-up world, and the records that tell of them."""

import json
import logging
import shutil

import numpy as np
import pytest
import torch

import inference
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.scores import read_scores
from src.core.command_line import EXIT_DONE, EXIT_UNUSABLE, run_command
from src.scoring.treated_scoring import load_scorer, record_of
from src.scoring.treatment import Treatment, is_transductive, read_record
from src.scoring.trial_scoring import FeatureStores
from tests.scoring.made_up_world import write_checkpoint, write_store

CPU = torch.device("cpu")


PEOPLE = [f"t{number:02d}" for number in range(12)]


@pytest.fixture
def trained(world):
    """The made-up world with two voices and two faces of each of twelve training people."""
    for modality, folder in (("voice", "voices"), ("face", "faces")):
        store = EmbeddingStore.open(world.features / modality)
        rows = [(key, float(token[0])) for key in store.items.index for token in store.tokens(key)]
        training = {f"{folder}/{name}/{n}": (name, "English") for name in PEOPLE for n in range(2)}
        for place, key in enumerate(training):
            world.values[key] = place // 2 * 0.7 - 3 + 0.05 * (place % 2)
            rows.append((key, world.values[key]))
        shutil.rmtree(world.features / modality)
        write_store(world.features / modality, modality, rows, training=training)
    write_checkpoint(world, "English", identities={"training": PEOPLE[:8], "validation": PEOPLE[8:]})
    return world


def scores_of(world, treatment):
    scorer = load_scorer(world.checkpoint("English"), FeatureStores.open(world.features), CPU, treatment)
    found = scorer.score(world.trials("English"), "list").scores
    return np.array(list(found.values())), scorer


def distance(world, voice, face):
    return abs(world.values[voice] - world.values[face])


def training_media(world, folder):
    return [key for key in world.values if key.startswith(f"{folder}/t")]


def test_z_t_and_s_normalisation_by_hand(trained):
    plain, _ = scores_of(trained, Treatment())
    cohorts = {"z": training_media(trained, "faces")[::2], "t": training_media(trained, "voices")[::2]}
    expected = {}
    for name, cohort in cohorts.items():
        columns = []
        for trial, score in zip(trained.trials("English"), plain, strict=True):
            pairs = [(trial.voice, one) if name == "z" else (one, trial.face) for one in cohort]
            strangers = [distance(trained, *pair) for pair in pairs]
            columns.append((score - np.mean(strangers)) / np.std(strangers))
        expected[name] = np.array(columns)
    expected["s"] = (expected["z"] + expected["t"]) / 2
    for name, wanted in expected.items():
        found, scorer = scores_of(trained, Treatment(normalisation=name))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert record_of(scorer, Treatment(normalisation="s"))["voice_cohort"] == 12
    adaptive, _ = scores_of(trained, Treatment(normalisation="adaptive", nearest=12))
    np.testing.assert_allclose(adaptive, expected["s"], rtol=1e-4, atol=1e-5)


def test_pooling_is_the_mean_over_both_clusters(trained, monkeypatch, caplog):
    voices = {key: int(key[-9:-4]) // 2 for key in trained.values if key.startswith("voices/English")}
    faces = {key: int(key[-8:-4]) % 2 for key in trained.values if key.startswith("faces/English")}

    labels = iter(
        [lambda count: np.arange(count) // 2, lambda count: np.arange(count) % 2]
    )  # of voices, of faces
    monkeypatch.setattr(
        "src.scoring.treated_scoring.cluster_media", lambda vectors, _: next(labels)(len(vectors))
    )
    monkeypatch.setattr("src.scoring.treated_scoring._BLOCK_PAIRS", 3 * 144)
    with caplog.at_level(logging.WARNING):
        found, scorer = scores_of(trained, Treatment(transductive=True))
    assert "use the test set as a whole, declare it" in caplog.text
    for score, trial in zip(found, trained.trials("English"), strict=True):
        members = [
            distance(trained, voice, face)
            for voice in voices
            for face in faces
            if voices[voice] == voices[trial.voice] and faces[face] == faces[trial.face]
        ]
        assert score == pytest.approx(np.mean(members), rel=1e-4)
    record = record_of(scorer, Treatment(transductive=True))
    assert record["transductive"] is True
    assert [one["clusters"] for one in record["clusters"]] == [3, 2]


def run(*arguments):
    return run_command(inference.main, [str(argument) for argument in arguments])


def test_every_output_of_the_commands_is_marked(trained, tmp_path, caplog):
    scores = tmp_path / "scores.txt"
    score = ["score", "--checkpoint", trained.checkpoint("English"), "--features", trained.features]
    score += ["--trials", trained.dataset / "English_test.txt", "--out", scores]
    with caplog.at_level(logging.WARNING):
        assert run(*score, "--transductive", "--normalise", "s") == EXIT_DONE
    assert is_transductive(scores)
    assert read_record(scores)["normalisation"] == "s"
    plain = tmp_path / "plain.txt"
    assert run(*score[:-1], plain, "--average-tokens") == EXIT_DONE
    assert not is_transductive(plain)
    assert read_record(plain)["average_tokens"] is True
    fused = tmp_path / "fused.txt"
    assert run("fuse", plain, scores, "--out", fused) == EXIT_DONE
    assert is_transductive(fused)
    assert [
        one["file"] for one in json.loads((tmp_path / "fused.txt.scoring.json").read_text())["systems"]
    ] == [
        "plain.txt",
        "scores.txt",
    ]
    truth, measures = trained.truth / "English_test.csv", tmp_path / "measures.json"
    assert run("evaluate", "--scores", scores, "--truth", truth, "--json", measures) == EXIT_DONE
    assert json.loads(measures.read_text())["scoring"]["transductive"] is True
    assert run(*score) == EXIT_DONE
    assert read_record(scores) == {}
    assert len(read_scores(scores)) == len(trained.trials("English"))


def test_a_submission_is_marked_beside_the_zip(trained, tmp_path):
    write_checkpoint(trained, "Urdu", identities={"training": PEOPLE, "validation": []})
    for modality, folder in (("voice", "voices"), ("face", "faces")):
        store = EmbeddingStore.open(trained.features / modality)
        rows = [(key, float(token[0])) for key in store.items.index for token in store.tokens(key)]
        people = store.items[store.items["split"] == "train"]
        training = {key: (name, "English") for key, name in people["identity"].items()}
        training |= {f"{folder}/u/{name}/{n}": (name, "Urdu") for name in PEOPLE for n in range(2)}
        rows += [
            (f"{folder}/u/{name}/{n}", place * 0.6 + n / 20)
            for place, name in enumerate(PEOPLE)
            for n in range(2)
        ]
        shutil.rmtree(trained.features / modality)
        write_store(trained.features / modality, modality, rows, training=training)
    out = tmp_path / "submission.zip"
    submit = ["submit", "--dataset", trained.dataset, "--features", trained.features, "--out", out]
    submit += [f"--checkpoint={language}={folder}" for language, folder in trained.checkpoints.items()]
    assert run(*submit, "--transductive") == EXIT_DONE
    assert is_transductive(out)
    assert len(read_record(out)["models"]["Urdu"]["clusters"]) == 4
    assert run(*submit) == EXIT_DONE
    assert not (tmp_path / "submission.zip.scoring.json").exists()


def test_stores_without_training_people_say_so(world, tmp_path, capsys):
    score = ["score", "--checkpoint", world.checkpoint("English"), "--features", world.features]
    score += ["--trials", world.dataset / "English_test.txt", "--out", tmp_path / "scores.txt"]
    assert run(*score, "--normalise", "z") == EXIT_UNUSABLE
    assert "holds no voice of the people" in capsys.readouterr().err
    assert run(*score, "--normalise", "adaptive", "--nearest", "1") == EXIT_UNUSABLE
    assert "--nearest 1" in capsys.readouterr().err
    assert not (tmp_path / "scores.txt").exists()


def test_a_cohort_that_is_too_small(trained, tmp_path, capsys):
    score = ["score", "--checkpoint", trained.checkpoint("English"), "--features", trained.features]
    score += ["--trials", trained.dataset / "English_test.txt", "--out", tmp_path / "scores.txt"]
    assert run(*score, "--normalise", "adaptive", "--nearest", "13") == EXIT_UNUSABLE
    assert "12 training people" in capsys.readouterr().err
