"""`inference.py fuse`: lists and submissions, by rank and by weights fitted on validation pairs."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import inference
from src.artifacts.checkpoints import save_validation_scores
from src.artifacts.scores import read_scores, write_scores
from src.core.command_line import EXIT_DONE, EXIT_UNUSABLE, run_command
from src.core.errors import ListError
from src.metrics.verification import equal_error_rate
from src.scoring.fusing import fit_on_checkpoints

TRIALS = 600
LABELS = np.arange(TRIALS) % 3 == 0


def run(*arguments):
    return run_command(inference.main, ["fuse", *(str(argument) for argument in arguments)])


def systems(seed):
    """Two systems with errors of their own; the second has another scale, and is worse."""
    generator = np.random.default_rng(seed)
    good = np.where(LABELS, -1.0, 1.0) + generator.normal(size=TRIALS)
    bad = 100 + 40 * (np.where(LABELS, -0.5, 0.5) + generator.normal(size=TRIALS))
    return good, bad


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, scores in zip("ab", systems(1), strict=True):
        write_scores(tmp_path / f"{name}.txt", {f"t{n}": score for n, score in enumerate(scores)})
        paths.append(tmp_path / f"{name}.txt")
    return paths


@pytest.fixture
def checkpoints(tmp_path):
    folders = []
    for name, scores in zip("AB", systems(2), strict=True):
        folder = tmp_path / name
        folder.mkdir()
        table = pd.DataFrame({"score": scores, "label": LABELS.astype(int), "face_identity": "f"})
        members = np.arange(TRIALS) // 3 % 2
        save_validation_scores(folder, table.assign(voice_identity="v", member=members))
        folders.append(folder)
    return folders


def error_of(path):
    return equal_error_rate(np.array(list(read_scores(path).values())), LABELS)


def test_ranks_by_hand(tmp_path):
    write_scores(tmp_path / "a.txt", {"x": 0.1, "y": 0.2})
    write_scores(tmp_path / "b.txt", {"y": -5.0, "x": 70.0})
    write_scores(tmp_path / "c.txt", {"y": 3.0, "x": 1.0})
    assert run(*(tmp_path / f"{name}.txt" for name in "abc"), "--out", tmp_path / "out.txt") == EXIT_DONE
    # ranks ¼ and ¾: x has ¼, ¾, ¼ and y the others
    assert read_scores(tmp_path / "out.txt") == pytest.approx({"x": 5 / 12, "y": 7 / 12})


def test_weights_of_checkpoints_and_of_a_list(files, checkpoints, tmp_path):
    out = tmp_path / "fused.txt"
    validation = [f"--validation={folder}" for folder in checkpoints]
    assert run(*files, "--method", "logistic", *validation, "--out", out) == EXIT_DONE
    assert error_of(out) < min(error_of(file) for file in files)
    record = json.loads((tmp_path / "fused.txt.scoring.json").read_text())
    good, bad = record["fitted"]["weights"]
    assert good > bad > 0
    assert record["transductive"] is False

    listed = []
    for name, scores in zip("ab", systems(2), strict=True):
        listed.append(tmp_path / f"{name}_validation.txt")
        write_scores(listed[-1], {f"v{n}": score for n, score in enumerate(scores)})
    truth = tmp_path / "truth.txt"
    truth.write_text("".join(f"v{n} {int(label)}\n" for n, label in enumerate(LABELS)))
    validation = [f"--validation={path}" for path in listed]
    by_list = tmp_path / "by_list.txt"
    assert run(*files, "--method", "logistic", *validation, "--truth", truth, "--out", by_list) == EXIT_DONE
    np.testing.assert_allclose(list(read_scores(by_list).values()), list(read_scores(out).values()), atol=0.2)


def test_the_scale_of_a_system_does_not_matter(checkpoints):
    fused = fit_on_checkpoints(checkpoints)
    table = np.stack(systems(3), axis=1)
    before = fused(table)
    stretched = pd.read_parquet(checkpoints[1] / "validation_scores.parquet")
    save_validation_scores(checkpoints[1], stretched.assign(score=3 * stretched["score"] - 7))
    np.testing.assert_allclose(
        fit_on_checkpoints(checkpoints)(table * [1, 3] - [0, 7]), before, rtol=1e-4, atol=1e-4
    )


def test_systems_with_different_numbers_of_members_share_the_folds_that_both_held_out(checkpoints):
    table = pd.read_parquet(checkpoints[1] / "validation_scores.parquet")
    save_validation_scores(checkpoints[1], table[table["member"] == 0])
    fused = fit_on_checkpoints(checkpoints)
    assert fused.calibration.weights[0] > fused.calibration.weights[1] > 0
    save_validation_scores(checkpoints[1], table.assign(member=7))
    with pytest.raises(ListError, match="different pairs"):
        fit_on_checkpoints(checkpoints)


def make_zip(path, shift, languages=("English", "Urdu")):
    with zipfile.ZipFile(path, "w") as archive:
        for place, language in enumerate(languages):
            for condition in ("heard", "unheard"):
                lines = "".join(f"{language}{n} {n * (place + 1) + shift}\n" for n in range(4))
                archive.writestr(f"sub_score_{language}_{condition}.txt", lines)


def test_submissions_go_cell_by_cell(checkpoints, tmp_path, capsys):
    make_zip(tmp_path / "a.zip", 0)
    make_zip(tmp_path / "b.zip", 3)
    zips, out = (tmp_path / "a.zip", tmp_path / "b.zip"), tmp_path / "out.zip"
    assert run(*zips, "--out", out) == EXIT_DONE
    with zipfile.ZipFile(out) as archive:
        assert len(archive.namelist()) == 4
        assert archive.read("sub_score_Urdu_heard.txt").decode().splitlines()[0] == "Urdu0 0.125"
    first = out.read_bytes()
    assert run(*zips, "--out", out) == EXIT_DONE
    assert out.read_bytes() == first
    english = [f"--validation=English={folder}" for folder in checkpoints]
    urdu = [f"--validation=Urdu={folder}" for folder in checkpoints]
    assert run(*zips, "--method", "logistic", *english, *urdu, "--out", out) == EXIT_DONE
    assert set(json.loads((tmp_path / "out.zip.scoring.json").read_text())["fitted"]) == {"English", "Urdu"}
    make_zip(tmp_path / "c.zip", 0, ("English", "Hindi"))
    for arguments, message in (
        ([*zips, "--method", "logistic", *english], "nothing of the models trained on Urdu"),
        ([zips[0], tmp_path / "c.zip"], "different challenges"),
    ):
        assert run(*arguments, "--out", tmp_path / "none.zip") == EXIT_UNUSABLE
        assert message in capsys.readouterr().err
    assert run(*zips, "--out", tmp_path / "none.txt") == EXIT_UNUSABLE
    assert not list(tmp_path.glob("none*"))


def test_what_cannot_be_fused(files, checkpoints, tmp_path, capsys):
    other, bad = tmp_path / "other.txt", tmp_path / "nan.txt"
    other.write_text("t0 1\nt1 2\nnew 3\n")
    bad.write_text("t0 nan\n")
    make_zip(tmp_path / "a.zip", 0)
    folders = [f"--validation={folder}" for folder in checkpoints]
    table = pd.read_parquet(checkpoints[0] / "validation_scores.parquet")
    (tmp_path / "C").mkdir()
    save_validation_scores(tmp_path / "C", table.iloc[:300])
    for arguments, message in (
        ([files[0]], "nothing to fuse"),
        ([files[0], other], "598 trials are missing: t2, t3, t4, t5, t6 …; 1 trials stand in it alone: new"),
        ([files[0], bad], "not finite"),
        ([files[0], tmp_path / "absent.txt"], "no such score file"),
        ([files[0], tmp_path / "a.zip"], "name one kind"),
        ([*files, "--method", "logistic"], "needs --validation once for each of the 2 systems"),
        ([*files, "--method", "logistic", folders[0]], "once for each of the 2 systems"),
        ([*files, *folders], "go with --method logistic"),
        ([*files, "--method", "logistic", "--validation=x.txt", "--validation=y.txt"], "labels are needed"),
        ([*files, "--method", "logistic", folders[0], f"--validation={tmp_path / 'C'}"], "different pairs"),
        (
            [*files, "--method", "logistic", *(f"--validation=Urdu={f}" for f in checkpoints)],
            "is for submissions",
        ),
    ):
        assert run(*arguments, "--out", tmp_path / "out.txt") == EXIT_UNUSABLE
        assert message in capsys.readouterr().err
    assert run(*files, "--out", files[0]) == EXIT_UNUSABLE
    assert not (tmp_path / "out.txt").exists()
