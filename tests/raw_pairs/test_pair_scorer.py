"""Pairs of files against the same files through the stages, and what becomes of files that cannot be used."""

import csv
import json

import av
import numpy as np
import pandas as pd
import pytest
import torch

import inference
from src.artifacts.calibration_file import StoredCalibration, write_calibration
from src.artifacts.checkpoints import save_checkpoint
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.trials import Trial
from src.core.command_line import EXIT_DONE, EXIT_FAILURES, EXIT_UNUSABLE, run_command
from src.core.errors import CheckpointError, DatasetError, ListError, MediaError
from src.core.stage import read_parts
from src.media.audio import write_audio
from src.media.image import read_image, write_jpeg
from src.models.registry import build_model
from src.raw_pairs.pair_scorer import PairScorer
from src.scoring.trial_scoring import FeatureStores, TrialScorer

MODEL = {"name": "cafnet", "aligned_width": None, "width": 8, "heads": 2, "hidden": 8, "dropout": 0.0}
CALIBRATION = StoredCalibration(0.5, (2.0,), {})


@pytest.fixture(scope="module")
def checkpoint(tiny_features, tmp_path_factory):
    """A head with drawn weights: what is compared are media on their way to it."""
    stores = {name: EmbeddingStore.open(tiny_features.features / name) for name in ("voice", "face")}
    model = MODEL | {f"{name}_dimension": store.dimension for name, store in stores.items()}
    torch.manual_seed(0)
    weights = build_model(model).state_dict()
    encoders = {name: store.information for name, store in stores.items()}
    folder = tmp_path_factory.mktemp("pairs") / "head"
    config = {"recipe": "association", "model": model, "language": "English", "encoders": encoders}
    save_checkpoint(folder, weights, config, {})
    write_calibration(folder, CALIBRATION)
    return folder


@pytest.fixture(scope="module")
def trials(tiny_features):
    """Two voices and three faces of the test set, six pairs."""
    voices, faces = (
        list(EmbeddingStore.open(tiny_features.features / name).items.query("split == 'test'").index)
        for name in ("voice", "face")
    )
    return [Trial(f"{v}{f}", v, f) for v in voices[:2] for f in faces[:3]]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Files that cannot be used: nobody speaks, no face, cut off."""
    folder = tmp_path_factory.mktemp("broken")
    write_audio(folder / "silence.wav", np.zeros(32_000, np.float32))
    write_jpeg(folder / "grey.jpg", np.full((120, 120, 3), 128, np.uint8))
    (folder / "text.jpg").write_text("no picture")
    return folder


def run(*arguments):
    return run_command(inference.main, [str(argument) for argument in arguments])


def staged_scores(checkpoint, run, trials):
    scorer = TrialScorer.load(checkpoint, FeatureStores.open(run.features), torch.device("cpu"))
    return scorer.score(trials, "list").scores


def test_raw_pairs_score_as_the_stages_score_the_same_files(
    tiny_features, checkpoint, trials, broken, tmp_path, capsys
):
    listed, out, work = tmp_path / "pairs.csv", tmp_path / "scored.csv", tmp_path / "work"
    good = [
        (trial.trial_id, *(tiny_features.dataset / key for key in (trial.voice, trial.face)))
        for trial in trials
    ]
    bad = [
        ("absent", "absent.wav", good[0][2]),
        ("silent", broken / "silence.wav", good[0][2]),
        ("both", broken / "silence.wav", broken / "grey.jpg"),
        ("text", good[0][1], broken / "text.jpg"),
    ]
    with listed.open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "voice", "face"), *good, *bad])
    command = [
        "pair",
        "--pairs",
        listed,
        "--out",
        out,
        "--checkpoint",
        checkpoint,
        "--workers",
        1,
        "--device",
        "cpu",
    ]
    assert run(*command, "--work", work) == EXIT_FAILURES
    rows = pd.read_csv(out, keep_default_na=False).set_index("id")
    assert rows.index.tolist() == [row[0] for row in (*good, *bad)]
    staged = staged_scores(checkpoint, tiny_features, trials)
    found = rows["score"][list(staged)].astype(float)
    np.testing.assert_allclose(found, list(staged.values()), rtol=1e-4, atol=1e-5)
    assert len(set(found)) == len(trials)
    np.testing.assert_allclose(
        rows["log_likelihood_ratio"][list(staged)].astype(float), 0.5 - 2 * found, rtol=1e-6
    )
    assert rows["reason"][["absent", "silent", "both", "text"]].tolist() == [
        "voice missing",
        "voice no_speech",
        "voice no_speech, face no_face",
        "face unreadable_image",
    ]
    # each distinct file once: 2 voices and 2 that fail, 3 faces and 2 that fail
    assert "voices: 2 done, 2 failed" in capsys.readouterr().err
    assert len(read_parts(work / "features/face/manifest")) == 5
    assert run(*command, "--work", work, "--max-failures", 0.5) == EXIT_DONE
    assert "(4 of all were already there)" in capsys.readouterr().err


def test_one_pair_of_a_video_whose_frames_are_averaged(tiny_features, checkpoint, trials, tmp_path, capsys):
    picture = read_image(tiny_features.dataset / trials[0].face)
    side = min(picture.shape[:2]) // 2 * 2
    video = tmp_path / "still.mp4"
    with av.open(video, "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.options = side, side, "yuv420p", {"crf": "4"}
        for _ in range(15):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture[:side, :side], format="rgb24")))
        container.mux(stream.encode())
    scorer = PairScorer.load(checkpoint, device="cpu")
    voice = tiny_features.dataset / trials[0].voice
    still = scorer.score(voice, tiny_features.dataset / trials[0].face, same_prior=0.2)
    moving = scorer.score(str(voice), video)
    assert moving.score == pytest.approx(still.score, abs=0.1)
    odds = still.probability / (1 - still.probability)
    assert np.log(odds) == pytest.approx(still.log_likelihood_ratio + np.log(0.2 / 0.8))
    assert not list(scorer.folder.rglob("*.*"))  # what is not to be kept is gone

    assert run("pair", voice, video, "--checkpoint", checkpoint, "--device", "cpu") == EXIT_DONE
    assert f"{moving.score:.6g}" in capsys.readouterr().out
    with pytest.raises(
        MediaError, match=r"still\.mp4: cannot be used as a voice, no_sound: the video has no sound"
    ):
        scorer.score(video, video)


def test_files_that_cannot_be_used_are_errors_of_one_pair(checkpoint, broken, capsys):
    voice, face = broken / "silence.wav", broken / "absent.jpg"
    assert run("pair", voice, face, "--checkpoint", checkpoint, "--device", "cpu") == EXIT_UNUSABLE
    message = capsys.readouterr().err
    assert "silence.wav: cannot be used as a voice, no_speech: nobody speaks in it" in message
    assert "absent.jpg: cannot be used as a face, missing: there is no such file" in message


def test_a_checkpoint_without_calibration_and_other_weights_are_refused(checkpoint, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("model.safetensors", "config.json"):
        (bare / name).write_bytes((checkpoint / name).read_bytes())
    with pytest.raises(
        CheckpointError, match=r"has no calibration\.json.*inference\.py calibrate --checkpoint"
    ):
        PairScorer.load(bare)
    write_calibration(bare, CALIBRATION)
    changed = json.loads((bare / "config.json").read_text())
    changed["encoders"]["face"]["weights_sha256"] = "0" * 64
    (bare / "config.json").write_text(json.dumps(changed))
    scorer = PairScorer.load(bare, device="cpu")
    with pytest.raises(CheckpointError, match=r"(?s)faces went through other networks.*weights_sha256"):
        scorer.score("voice.wav", "face.jpg")


def test_nothing_to_score_and_folders_of_something_else(checkpoint, tmp_path):
    with pytest.raises(ListError, match="no pair"):
        PairScorer.load(checkpoint).score_pairs([])
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(DatasetError, match="holds something else"):
        PairScorer.load(checkpoint, work=tmp_path / "other")
    with pytest.raises(DatasetError, match="is a file"):
        PairScorer.load(checkpoint, work=tmp_path / "other/file")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["voice.wav"], "name a voice and a face"),
        (["v.wav", "f.jpg", "--out", "o.csv"], "--out goes with --pairs"),
        (["v.wav", "f.jpg", "--pairs", "p.csv"], "either a voice and a face, or --pairs"),
        (["--pairs", "p.csv"], "--pairs needs --out"),
        (["--pairs", "p.csv", "--out", "./p.csv"], "is the list itself"),
        (["v.wav", "f.jpg", "--prior", "0"], "--prior 0: must lie between 0 and 1"),
        (["v.wav", "f.jpg"], "not a checkpoint"),
    ],
)
def test_contradictory_arguments(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run("pair", *arguments, "--checkpoint", tmp_path / "none") == EXIT_UNUSABLE
    assert message in capsys.readouterr().err
