"""The challenge's baseline, from its checkpoint and its feature files to a submission, by the commands."""

import zipfile

import numpy as np
import pytest
import torch

import inference
import train
from features.__main__ import main as features
from src.artifacts.feature_csv import write_fop
from src.artifacts.trials import Trial, write_trials

LANGUAGES = ("English", "Urdu")


def run(command, *words):
    assert command([str(word) for word in words]) == 0


@pytest.fixture
def baseline(golden):
    arrays = golden("fop_gated")
    state = {
        name.removeprefix("state/"): torch.from_numpy(np.asarray(array))
        for name, array in arrays.items()
        if name.startswith("state/")
    }
    return arrays, state


def test_the_score_column_is_the_published_one(baseline, tmp_path):
    arrays, state = baseline
    torch.save({"state_dict": state}, tmp_path / "baseline.pth.tar")
    each = len(arrays["l2"]) // 2
    expected = {}
    for place, language in enumerate(LANGUAGES):
        rows = slice(place * each, (place + 1) * each)
        trials = [
            Trial(
                f"{language[0]}{row}", f"voices/{language}/{row:05d}.wav", f"faces/{language}/{row:05d}.jpg"
            )
            for row in range(each)
        ]
        write_trials(tmp_path / "lists" / f"{language}_test.txt", trials)
        for modality in ("voice", "face"):
            write_fop(tmp_path / f"{language}_{modality}.csv", arrays[modality][rows], None)
        expected[language] = dict(zip((trial.trial_id for trial in trials), arrays["l2"][rows], strict=True))
        names = [
            "--voice-encoder",
            "utterance",
            "--face-encoder",
            "vggface",
            "--unlabelled",
            "--split",
            "test",
        ]
        files = [f"--{modality}={tmp_path / f'{language}_{modality}.csv'}" for modality in ("voice", "face")]
        keys = ["--keys", tmp_path / "lists" / f"{language}_test.txt", "--language", language]
        run(features, "import", "--format", "fop", *files, *names, *keys, "--out", tmp_path / language)
    for modality in ("voice", "face"):
        stores = [tmp_path / language / modality for language in LANGUAGES]
        run(features, "merge", *stores, "--out", tmp_path / "all" / modality)
    for language in LANGUAGES:
        words = [tmp_path / "baseline.pth.tar", "--features", tmp_path / "all", "--language", language]
        run(train.main, "import-published", *words, "--out", tmp_path / f"baseline_{language}")
    models = [f"--checkpoint={language}={tmp_path / f'baseline_{language}'}" for language in LANGUAGES]
    common = ["--dataset", tmp_path / "lists", "--features", tmp_path / "all", "--out", tmp_path / "s.zip"]
    run(inference.main, "submit", "--challenge", "fame2024", *models, *common)
    run(
        inference.main, "check", tmp_path / "s.zip", "--challenge", "fame2024", "--trials", tmp_path / "lists"
    )
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        for name in archive.namelist():
            lines = [line.split(" ") for line in archive.read(name).decode().splitlines()]
            found = {trial: float(score) for trial, score in lines}
            language = name.split("_")[2]
            assert list(found) == list(expected[language])
            assert found == pytest.approx(expected[language], abs=1e-5)
