"""The whole pipeline, from raw media to a submission and its report, on a tiny generated world."""

import hashlib
import json
import zipfile

import pandas as pd
import pytest

import inference
import train
from benchmarks.face_choices import measure_choices
from benchmarks.keynote_measures import measure
from features.__main__ import main as extract
from preprocessing.__main__ import main as preprocess
from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.scores import read_scores
from src.artifacts.trials import read_trials
from src.core.stage import read_parts

LANGUAGES = ("English", "Urdu")
CELLS = ["English_heard", "English_unheard", "Urdu_heard", "Urdu_unheard"]


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "logs")
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_submission_has_every_trial_once(tiny_submission):
    with zipfile.ZipFile(tiny_submission.submission) as archive:
        assert sorted(archive.namelist()) == [f"sub_score_{cell}.txt" for cell in CELLS]
        for cell in CELLS:
            language = cell.partition("_")[0]
            lines = archive.read(f"sub_score_{cell}.txt").decode().splitlines()
            trials = read_trials(tiny_submission.dataset / f"{language}_test.txt")
            assert [line.split(" ")[0] for line in lines] == [trial.trial_id for trial in trials]
            assert len({line.split(" ")[1] for line in lines}) > len(lines) // 4


def test_evaluation_prints_and_writes_the_four_cells(tiny_submission, tmp_path, capsys):
    words = [
        "evaluate",
        "--scores",
        tiny_submission.submission,
        "--truth",
        tiny_submission.truth,
        "--json",
        tmp_path / "measures.json",
    ]
    assert inference.main([str(word) for word in words]) == 0
    printed = capsys.readouterr().out
    measures = json.dumps(json.loads((tmp_path / "measures.json").read_text()))
    for cell in CELLS:
        language, condition = cell.split("_")
        assert language in printed
        assert condition in printed
    assert "eer" in measures


def test_one_list_is_scored_as_the_submission_scores_it(tiny_submission, tmp_path):
    words = [
        "score",
        "--checkpoint",
        tiny_submission.checkpoint("English"),
        "--features",
        tiny_submission.features,
    ]
    words += [
        "--trials",
        tiny_submission.dataset / "Urdu_test.txt",
        "--unscorable",
        "median",
        "--out",
        tmp_path / "scores.txt",
    ]
    assert inference.main([str(word) for word in words]) == 0
    with zipfile.ZipFile(tiny_submission.submission) as archive:
        submitted = dict(
            line.split(" ") for line in archive.read("sub_score_Urdu_unheard.txt").decode().splitlines()
        )
    scores = read_scores(tmp_path / "scores.txt")
    assert scores == pytest.approx(
        {name: float(value) for name, value in submitted.items()}, rel=1e-5, abs=1e-6
    )


def test_the_same_commands_give_the_same_scores_to_the_bit(tiny_submission, tmp_path):
    """Features, training and scores from the same clean media and seed, once more and by another number of workers."""
    features, checkpoint = tmp_path / "features", tmp_path / "English"
    assert extract([str(tiny_submission.work), "--out", str(features), "--workers", "1"]) == 0
    words = [tiny_submission.recipe, "--features", features, "--language", "English", "--out", checkpoint]
    assert train.main([str(word) for word in words]) == 0
    weights = [folder / "model.safetensors" for folder in (tiny_submission.checkpoint("English"), checkpoint)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    words = ["score", "--trials", tiny_submission.dataset / "Urdu_test.txt", "--unscorable", "median"]
    runs = {
        "first": (tiny_submission.checkpoint("English"), tiny_submission.features),
        "second": (checkpoint, features),
    }
    for name, (model, stores) in runs.items():
        of_run = ["--checkpoint", model, "--features", stores, "--out", tmp_path / name]
        assert inference.main([str(word) for word in words + of_run]) == 0
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_report_is_one_page_with_faces_and_voices(tiny_report):
    page = tiny_report.report.read_text(encoding="utf-8")
    assert "<audio" in page
    assert "data:image/jpeg;base64," in page
    assert "Bayes" in page
    assert "http-equiv" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_training_saw_no_test_identity_and_no_other_language(tiny_submission):
    for language in LANGUAGES:
        identities = load_checkpoint(tiny_submission.checkpoint(language)).config["identities"]
        for member in identities["members"]:
            assert member["training"]
            assert member["validation"]
            assert not set(member["training"]) & set(member["validation"])
        known = pd.read_csv(tiny_submission.truth / "identities.csv")
        assert set(identities["training"]) | set(identities["validation"]) <= set(
            known[known["split"] == "train"]["face_id"]
        )


def test_every_source_is_a_row_and_every_done_row_has_tokens(tiny_features):
    for modality, folder in (("voice", "voices"), ("face", "faces")):
        sources = [path for path in (tiny_features.dataset / folder).rglob("*") if path.is_file()]
        manifest = pd.concat(
            pd.read_parquet(path)
            for path in sorted((tiny_features.work / modality / "manifest").glob("*.parquet"))
        )
        assert sorted(manifest["key"]) == sorted(
            path.relative_to(tiny_features.dataset).as_posix() for path in sources
        )
        store = EmbeddingStore.open(tiny_features.features / modality)
        assert set(store.items.index) == set(manifest[manifest["status"] == "done"]["key"])
        assert (store.items["count"] >= 2).mean() > 0.5


def test_the_front_ends_keep_the_right_people(tiny_features):
    speech = measure(tiny_features.work, tiny_features.truth, None)
    assert speech["purity"] >= 0.90
    assert speech["recall"] >= 0.80
    manifest, detections = (
        read_parts(tiny_features.work / "face" / name).to_pandas() for name in ("manifest", "detections")
    )
    faces = measure_choices(manifest, detections, pd.read_parquet(tiny_features.truth / "faces.parquet"))
    assert faces["found_share"] >= 0.97
    assert faces["right_person_share"] >= 0.98


def test_running_again_changes_nothing_and_never_touches_the_source(tiny_features, capsys):
    source, work = fingerprint(tiny_features.dataset), fingerprint(tiny_features.work)
    assert preprocess([str(tiny_features.dataset), "--out", str(tiny_features.work)]) == 0
    assert extract([str(tiny_features.work)]) == 0
    assert "already there" in capsys.readouterr().err
    assert fingerprint(tiny_features.dataset) == source
    again = fingerprint(tiny_features.work)
    assert {path: mark for path, mark in again.items() if path.suffix != ".json"} == {
        path: mark for path, mark in work.items() if path.suffix != ".json"
    }
