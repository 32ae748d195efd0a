"""`inference.py check`: what the scorer would reject, and scores that are the wrong way round."""

import zipfile

import pytest
import torch

import inference
from src.core.command_line import EXIT_DONE, EXIT_FAILURES, EXIT_UNUSABLE, run_command
from src.scoring.score_commands import submit
from tests.scoring.made_up_world import add_training_people


@pytest.fixture
def submission(world):
    path = world.root / "submission.zip"
    submit(
        lists=world.dataset,
        features=world.features,
        checkpoints=world.checkpoints,
        out=path,
        device=torch.device("cpu"),
    )
    return path


def check(*arguments):
    return run_command(inference.main, ["check", *(str(argument) for argument in arguments)])


def with_models(world):
    return [
        "--features",
        world.features,
        *(f"--checkpoint={name}={path}" for name, path in world.checkpoints.items()),
    ]


def changed(path, change):
    """A copy of a zip whose files went through `change`: (name, content) → [(name, content), …]."""
    out = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            for new_name, content in change(name, source.read(name)):
                target.writestr(new_name, content)
    return out


def test_a_good_submission_is_told_so(world, submission, capsys):
    assert check(submission, "--trials", world.dataset) == EXIT_DONE
    assert "polarity not checked" in capsys.readouterr().out
    lists = [world.dataset / f"{language}_test.txt" for language in ("English", "Urdu")]
    assert check(submission, "--challenge", "fame2024", "--trials", *lists) == EXIT_DONE
    assert "nothing that the scorer would reject" in capsys.readouterr().out


def test_versioned_names_are_accepted_too(world, submission, capsys):
    versioned = changed(submission, lambda name, content: [(name.replace("score_", "score_v1_"), content)])
    assert check(versioned, "--trials", world.dataset) == EXIT_DONE
    mixed = changed(
        submission, lambda name, content: [(name.replace("score_English_h", "score_v1_English_h"), content)]
    )
    assert check(mixed, "--trials", world.dataset) == EXIT_FAILURES
    assert "sub_score_English_heard.txt: missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda name, content: [(f"inner/{name}", content)], "lies in the folder inner/"),
        (
            lambda name, content: [(name, content), (f"{name}.md", b"")],
            "heard.txt.md: is not a file of this challenge",
        ),
        (
            lambda name, content: [] if "Urdu_heard" in name else [(name, content)],
            "sub_score_Urdu_heard.txt: missing",
        ),
        (lambda name, content: [(name, content.partition(b"\n")[2])], "1 ids are missing: "),
        (lambda name, content: [(name, content + b"more 1\n")], "1 ids are not in the list: more"),
        (
            lambda name, content: [(name, content + content.partition(b"\n")[0] + b"\n")],
            "stand more than once",
        ),
        (lambda name, content: [(name, content.replace(b" ", b" nan", 1))], "finite number: line 1"),
        (lambda name, content: [(name, content.replace(b"\n", b"\r\n"))], "one space"),
    ],
)
def test_everything_that_the_scorer_would_reject_is_told(world, submission, capsys, change, problem):
    bad = changed(submission, change)
    assert check(bad, "--challenge", "fame2024", "--trials", world.dataset) == EXIT_FAILURES
    assert problem in capsys.readouterr().out


def test_what_is_no_zip_is_a_problem_and_what_cannot_be_checked_an_error(world, submission, tmp_path, capsys):
    (tmp_path / "text.zip").write_text("text")
    assert check(tmp_path / "text.zip", "--challenge", "fame2024", "--trials", world.dataset) == EXIT_FAILURES
    assert "not a zip" in capsys.readouterr().out
    assert check(submission, "--trials", tmp_path) == EXIT_UNUSABLE
    assert "no test list" in capsys.readouterr().err
    assert check(submission, "--trials", world.dataset / "Urdu_test.txt") == EXIT_UNUSABLE
    assert "names no English_test.txt" in capsys.readouterr().err
    english = f"--checkpoint=English={world.checkpoint('English')}"
    assert check(submission, "--trials", world.dataset, english) == EXIT_UNUSABLE
    assert "add --features" in capsys.readouterr().err


def negated(name, content):
    pairs = [line.split(" ") for line in content.decode().splitlines()]
    return [(name, "".join(f"{trial} {-float(score)}\n" for trial, score in pairs).encode())]


def test_scores_that_are_the_wrong_way_round_are_told_by_the_models(world, submission, capsys):
    add_training_people(world)
    assert check(submission, "--trials", world.dataset, *with_models(world)) == EXIT_DONE
    told = capsys.readouterr().out
    assert "same-person pairs score lower in 100.0 % of comparisons" in told
    assert "rank correlation +1.00" in told
    assert (
        check(changed(submission, negated), "--trials", world.dataset, *with_models(world)) == EXIT_FAILURES
    )
    assert capsys.readouterr().out.count("wrong polarity (rank correlation -1.00") == 4


def test_a_model_that_is_the_wrong_way_round_is_told_itself(world, submission, capsys):
    add_training_people(world, turned=True)
    assert check(submission, "--trials", world.dataset, *with_models(world)) == EXIT_FAILURES
    assert "model trained on English: wrong way round" in capsys.readouterr().out


def test_scores_that_say_nothing_are_noted(world, submission, capsys):
    def constant(name, content):
        return [(name, "".join(f"{line.split()[0]} 1\n" for line in content.decode().splitlines()).encode())]

    assert check(changed(submission, constant), "--trials", world.dataset, *with_models(world)) == EXIT_DONE
    told = capsys.readouterr().out
    assert "all scores are the same" in told
    assert "the features hold no training people of English" in told
