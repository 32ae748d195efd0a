"""Sweeps: every run once, measured as inference measures it, in one table."""

import json

import pandas as pd
import pytest

import inference
import train
from src.core.errors import ConfigError, TrainingError
from src.experiments.sweep_table import method_table, printed
from tests.features.made_up_stores import write_stores

RECIPE = """
recipe: association
model: {name: shared-space, width: 4, dropout: 0.1}
objective: {name: infonce}
batch: {identities: 4, voices_per_identity: 2, faces_per_identity: 1, voice_tokens: 1, face_tokens: 1}
optimizer: {learning_rate: 1.0e-2, weight_decay: 0.01}
validation: {folds: 3, every_steps: 3}
steps: 3
"""
CLOSED = """
recipe: association
model: {name: linear-cca, width: 3}
objective: {name: closed-form}
alignment: {principal_components: 5, shrinkage: 0.1}
validation: {folds: 3}
"""


@pytest.fixture
def world(tmp_path):
    write_stores(tmp_path / "features", people=12, items=4, test_items=4)
    (tmp_path / "space.yaml").write_text(RECIPE)
    (tmp_path / "cca.yaml").write_text(CLOSED)
    names = [
        line.split()[0] for line in (tmp_path / "features" / "English_test.txt").read_text().splitlines()
    ]
    rows = [(name, int(name[1] == name[2]), int((int(name[1]) + int(name[2])) % 2 == 0)) for name in names]
    truth = pd.DataFrame(rows, columns=["trial_id", "label", "same_sex"])
    truth.assign(bayes_log_likelihood_ratio=truth["label"] * 2.0 - 1.0).to_csv(
        tmp_path / "English_test.csv", index=False
    )
    return tmp_path


def sweep(world, *more, configs=("space.yaml", "cca.yaml")):
    arguments = [str(world / name) for name in configs]
    arguments += ["--features", str(world / "features"), "--language", "English", "--seeds", "2"]
    arguments += ["--out", str(world / "runs"), "--device", "cpu", *more]
    return train.main(["sweep", *arguments])


def with_lists(world):
    return ["--lists", str(world / "features"), "--truth", str(world)]


def test_runs_are_trained_once_and_measured_as_inference_measures(world, capsys, monkeypatch):
    assert sweep(world, *with_lists(world)) == 0
    shown = capsys.readouterr().out
    assert "Bayes limit" in shown
    assert "±" in shown
    runs = pd.read_csv(world / "runs" / "runs.csv")
    assert runs[["method", "seed"]].values.tolist() == [["space", 0], ["space", 1], ["cca", 0], ["cca", 1]]
    table = pd.read_csv(world / "runs" / "table.csv").set_index("method")
    of_space = runs[runs["method"] == "space"]
    assert table.loc["space", "validation_eer_mean"] == pytest.approx(of_space["validation_eer"].mean())
    assert table.loc["space", "heard_eer_std"] == pytest.approx(of_space["heard_eer"].std())
    assert table.loc["Bayes limit", "heard_eer_mean"] == 0.0

    run, scores, measures = world / "runs/space/English/seed_1", world / "scores.txt", world / "m.json"
    score = ["score", "--checkpoint", str(run), "--features", str(world / "features")]
    score += ["--trials", str(world / "features" / "English_test.txt"), "--out", str(scores)]
    assert inference.main(score) == 0
    evaluate = ["evaluate", "--scores", str(scores), "--truth", str(world / "English_test.csv")]
    assert inference.main([*evaluate, "--json", str(measures), "--replicates", "0"]) == 0
    expected = pd.read_json(measures, typ="series")
    assert runs.loc[1, "heard_eer"] == pytest.approx(expected["eer"], rel=1e-5)
    assert runs.loc[1, "heard_same_sex_eer"] == pytest.approx(expected["same_sex_eer"], rel=1e-5)

    monkeypatch.setattr(
        "src.experiments.sweep.train_association", lambda *_, **__: pytest.fail("trained again")
    )
    monkeypatch.setattr("src.experiments.sweep.TrialScorer.load", lambda *_: pytest.fail("scored again"))
    before = (world / "runs" / "table.csv").read_bytes()
    assert sweep(world, *with_lists(world)) == 0
    assert (world / "runs" / "table.csv").read_bytes() == before


def test_a_run_that_fails_is_a_row_and_the_others_go_on(world, monkeypatch, capsys):
    train_one = train_of_sweep()

    def failing(config, *arguments, **named):
        if named["seed"] == 0:
            raise TrainingError("the loss stopped being finite")
        return train_one(config, *arguments, **named)

    monkeypatch.setattr("src.experiments.sweep.train_association", failing)
    assert sweep(world, configs=("cca.yaml",)) == 1
    runs = pd.read_csv(world / "runs" / "runs.csv")
    assert runs["status"].tolist() == ["failed", "done"]
    assert "finite" in runs.loc[0, "reason"]
    assert "1 runs, 1 failed" in capsys.readouterr().err


def train_of_sweep():
    from src.experiments.sweep import train_association

    return train_association


def test_what_cannot_be_swept_is_an_error(world):
    sweep(world, configs=("cca.yaml",))
    for path in (world / "runs").rglob("config.json"):
        config = json.loads(path.read_text("utf-8"))
        del config["training"]["encoders"]  # as if the run were of a time before there was such a setting
        path.write_text(json.dumps(config))
    sweep(world, configs=("cca.yaml",))
    with pytest.raises(ConfigError, match="run of other settings"):
        sweep(world, "--set", "alignment.shrinkage=0.2", configs=("cca.yaml",))
    with pytest.raises(ConfigError, match="--lists and --truth belong together"):
        sweep(world, "--truth", str(world))
    with pytest.raises(ConfigError, match="have one name"):
        sweep(world, configs=("cca.yaml", "cca.yaml"))
    with pytest.raises(ConfigError, match="its encoders learn along"):
        sweep(world, "--set", "encoders={learning_rate: 1e-3}", configs=("space.yaml",))


def test_the_table_by_hand():
    rows = [("a", "E", 0, 0.1), ("a", "U", 0, 0.3), ("a", "E", 1, 0.3), ("a", "U", 1, 0.5)]
    runs = pd.DataFrame(rows, columns=["method", "language", "seed", "validation_eer"]).assign(status="done")
    table = method_table(runs)
    assert table.loc[0, "validation_eer_mean"] == pytest.approx(0.3)
    assert table.loc[0, "validation_eer_std"] == pytest.approx(0.2 / 2**0.5)
    assert "30.0 ± 14.1" in printed(table)
