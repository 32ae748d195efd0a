"""The command line of inference.py, on a made-up world."""

import json
import zipfile

import pytest

import inference
from src.core.command_line import EXIT_DONE, EXIT_UNUSABLE, run_command
from tests.scoring.made_up_world import make_world, score_by_nearness


@pytest.fixture
def world(tmp_path, monkeypatch):
    score_by_nearness(monkeypatch)
    return make_world(tmp_path / "made-up")


def run(*arguments):
    return run_command(inference.main, [str(argument) for argument in arguments])


def checkpoints(world):
    return [f"--checkpoint={language}={folder}" for language, folder in world.checkpoints.items()]


def test_from_scores_to_a_report(world, tmp_path, capsys):
    out = tmp_path / "out" / "submission.zip"
    submit = ["submit", "--dataset", world.dataset, "--features", world.features, *checkpoints(world)]
    assert run(*submit, "--out", out) == EXIT_DONE
    first = out.read_bytes()
    assert run(*submit, "--out", out) == EXIT_DONE
    assert out.read_bytes() == first
    assert [path.name for path in out.parent.iterdir()] == ["submission.zip"]

    measures = tmp_path / "measures.json"
    assert run("evaluate", "--scores", out, "--truth", world.truth, "--json", measures) == EXIT_DONE
    found = json.loads(measures.read_text())
    assert len(found["cells"]) == 4
    assert found["overall"]["eer"] == pytest.approx(sum(cell["eer"] for cell in found["cells"]) / 4)
    printed = capsys.readouterr().out
    assert f"{100 * found['overall']['eer']:.2f} %" in printed
    assert "same-sex EER" in printed

    page = tmp_path / "report.html"
    report = ["report", "--submission", out, "--truth", world.truth, *checkpoints(world), "--out", page]
    assert run(*report, "--dataset", world.dataset, "--work", world.work) == EXIT_DONE
    assert f"{100 * found['overall']['eer']:.1f} %" in page.read_text()


def test_one_list_scored_and_evaluated_equals_its_part_of_the_submission(world, tmp_path, capsys):
    scores, submission = tmp_path / "scores.txt", tmp_path / "s.zip"
    common = ["--features", world.features, "--device", "cpu"]
    trials = world.dataset / "Urdu_test.txt"
    score = ["score", "--checkpoint", world.checkpoint("English"), "--trials", trials, "--out", scores]
    assert run(*score, *common) == EXIT_DONE
    submit = ["submit", "--dataset", world.dataset, *checkpoints(world), "--out", submission]
    assert run(*submit, *common, "--file-names", "versioned") == EXIT_DONE
    with zipfile.ZipFile(submission) as archive:
        assert archive.read("sub_score_v1_Urdu_unheard.txt") == scores.read_bytes()
    truth = world.truth / "Urdu_test.csv"
    assert run("evaluate", "--scores", scores, "--truth", truth) == EXIT_DONE
    assert "scores.txt" in capsys.readouterr().out


def test_median_scores_are_recorded_beside_the_output_and_the_record_goes_with_them(world, tmp_path):
    listed, scores = tmp_path / "list.txt", tmp_path / "scores.txt"
    good = [f"{trial.trial_id} {trial.voice} {trial.face}" for trial in world.trials("Urdu")]
    score = ["score", "--checkpoint", world.checkpoint("Urdu"), "--features", world.features]
    score += ["--trials", listed, "--out", scores]
    listed.write_text("\n".join([*good, "x1 voices/absent.wav faces/Urdu/00000.jpg"]))
    assert run(*score) == EXIT_UNUSABLE
    assert not scores.exists()
    assert run(*score, "--unscorable", "median") == EXIT_DONE
    record = tmp_path / "scores.txt.unscorable.csv"
    assert (
        record.read_text()
        .splitlines()[1]
        .startswith('scores.txt,x1,voices/absent.wav,"not in the work folder')
    )
    listed.write_text("\n".join(good))
    assert run(*score, "--unscorable", "median") == EXIT_DONE
    assert not record.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "\ufeffa voices/Urdu/00000.wav faces/Urdu/00000.jpg\r\n\r\nb\tvoices/Urdu/00001.wav\tfaces/Urdu/00000.jpg\r\n",
            None,
        ),
        ("a voices/Urdu/00000.wav\n", "line 1"),
        ("a voices/Urdu/00000.wav f.jpg\na voices/Urdu/00000.wav f.jpg\n", "more than once: a"),
        ("a voices/Urdu/00000.wav ../f.jpg\n", "lead out of the data set"),
        ("", "holds no trial"),
    ],
    ids=["BOM, CRLF, blank, tab", "two fields", "repeated", "climbing", "empty"],
)
def test_lists_as_people_write_them(world, tmp_path, capsys, content, message):
    listed = tmp_path / "list.txt"
    listed.write_bytes(content.encode("utf-8"))
    command = ["score", "--checkpoint", world.checkpoint("Urdu"), "--features", world.features]
    status = run(*command, "--trials", listed, "--out", tmp_path / "scores.txt")
    assert status == (EXIT_DONE if message is None else EXIT_UNUSABLE)
    assert message is None or message in capsys.readouterr().err


def test_unusable_arguments_leave_a_message_and_nothing_half_written(world, tmp_path, capsys):
    out = tmp_path / "out"
    submit = ["submit", "--dataset", world.dataset, "--features", world.features]
    english = f"--checkpoint=English={world.checkpoint('English')}"
    urdu = f"--checkpoint=Urdu={world.checkpoint('Urdu')}"
    for arguments, message in (
        ([*submit, english, "--out", out / "s.zip"], "two languages"),
        ([*submit, english, english, "--out", out / "s.zip"], "names a language twice"),
        ([*submit, english, urdu, "--out", out / "s.txt"], "name it so"),
        ([*submit, english, urdu, "--lists", world.truth, "--out", out / "s.zip"], "no test list"),
        ([*submit, english, f"--checkpoint=Urdu={tmp_path}", "--out", out / "s.zip"], "not a checkpoint"),
        (["evaluate", "--scores", tmp_path / "absent", "--truth", world.truth / "Urdu_test.csv"], "no such"),
        (["evaluate", "--scores", tmp_path / "absent.zip", "--truth", world.truth], "no such submission"),
    ):
        assert run(*arguments) == EXIT_UNUSABLE
        assert message in capsys.readouterr().err
    assert not out.exists()
    with pytest.raises(SystemExit) as left:
        run(*submit, "--checkpoint", "English", "--out", out / "s.zip")
    assert left.value.code == EXIT_UNUSABLE
    assert "LANGUAGE=DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ("a 0.1\nb nan\n", "line 2"),
        ("a 0.1\nb 0.2\na 0.3\n", "more than once"),
        ("a 0.1\n", "no score: b"),
        ("a 0.1\nb 0.2\nc 0.3\n", "no truth: c"),
    ],
)
def test_scores_that_cannot_be_evaluated_are_errors_that_name_the_place(tmp_path, capsys, scores, message):
    (tmp_path / "scores.txt").write_text(scores)
    (tmp_path / "truth.txt").write_text("a 1\nb 0\n")
    command = ["evaluate", "--scores", tmp_path / "scores.txt", "--truth", tmp_path / "truth.txt"]
    assert run(*command, "--json", tmp_path / "measures.json") == EXIT_UNUSABLE
    assert message in capsys.readouterr().err
    assert not (tmp_path / "measures.json").exists()


def test_files_of_another_kind_are_errors(tmp_path, capsys):
    good, binary, ragged = tmp_path / "good.txt", tmp_path / "binary", tmp_path / "ragged.csv"
    good.write_text("a 1\nb 0\n")
    binary.write_bytes(b"\xff\xfe\x00")
    ragged.write_text("trial_id,label\na,1\nb,0,3,4\n")
    for scores, truth, message in (
        (binary, good, "binary: not a text file"),
        (good, binary, "binary: not readable"),
        (good, ragged, "line 3"),
    ):
        assert run("evaluate", "--scores", scores, "--truth", truth) == EXIT_UNUSABLE
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", [command.name for command in inference.COMMANDS])
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as left:
        run(command, "--help")
    assert left.value.code == EXIT_DONE
    assert f"python inference.py {command}" in capsys.readouterr().out
