import zipfile

import pytest

from src.artifacts.trials import Trial
from src.core.errors import DatasetError, ListError, SubmissionError
from src.scoring.cells import cells_of
from src.scoring.language_lists import find_test_lists
from src.scoring.submission import (
    read_score_columns_of,
    read_submission,
    submission_problems,
    write_submission,
)

TRIALS = {
    "English": [Trial("e1", "v", "f"), Trial("e2", "v", "f")],
    "Urdu": [Trial("u1", "v", "f"), Trial("u2", "v", "f")],
}
LISTS = {cell: TRIALS[cell.test_language] for cell in cells_of(TRIALS)}
SCORES = {
    cell: {trial.trial_id: 0.5 + place for place, trial in enumerate(trials)}
    for cell, trials in LISTS.items()
}


def test_the_zip_holds_the_four_files_and_nothing_else(tmp_path):
    write_submission(tmp_path / "s.zip", SCORES, LISTS)
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == [
            "sub_score_English_heard.txt",
            "sub_score_English_unheard.txt",
            "sub_score_Urdu_heard.txt",
            "sub_score_Urdu_unheard.txt",
        ]
        assert archive.read("sub_score_English_heard.txt") == b"e1 0.5\ne2 1.5\n"
    assert read_submission(tmp_path / "s.zip") == SCORES


def test_the_same_scores_are_the_same_bytes(tmp_path):
    write_submission(tmp_path / "a.zip", SCORES, LISTS)
    write_submission(tmp_path / "b.zip", dict(reversed(SCORES.items())), LISTS)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_folder_of_the_files_is_read_like_the_zip(tmp_path):
    write_submission(tmp_path / "s.zip", SCORES, LISTS, prefix="sub_score_v1")
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        archive.extractall(tmp_path / "folder")
    assert (tmp_path / "folder" / "sub_score_v1_Urdu_heard.txt").is_file()
    assert read_submission(tmp_path / "folder") == SCORES


def test_nothing_is_written_that_the_scorer_would_reject(tmp_path):
    path = tmp_path / "s.zip"
    cell = next(iter(SCORES))
    with pytest.raises(SubmissionError, match="1 ids are missing: e2"):
        write_submission(path, SCORES | {cell: {"e1": 0.5}}, LISTS)
    with pytest.raises(ListError, match="not finite"):
        write_submission(path, SCORES | {cell: {"e1": 0.5, "e2": float("nan")}}, LISTS)
    with pytest.raises(SubmissionError, match="nothing to score"):
        write_submission(path, SCORES | {cell: {}}, LISTS | {cell: []})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a 1\nb 2\n", None),
        (b"a 1e-3\nb -2", None),
        (b"a 1\n", "1 ids are missing: b"),
        (b"a 1\nb 2\nc 3\n", "1 ids are not in the list: c"),
        (b"a 1\nb 2\na 3\n", "1 ids stand more than once: a"),
        (b"a nan\nb 2\n", "finite number: line 1"),
        (b"a inf\nb 2\n", "finite number: line 1"),
        (b"a  1\nb 2\n", "one space"),
        (b"a\t1\nb 2\n", "one space"),
        (b"a 1\r\nb 2\r\n", "one space"),
        (b"a 1\n\nb 2\n", "line 2"),
        (b"a 1 \nb 2\n", "line 1"),
        (b"a 1_0\nb 2\n", "line 1"),
        (b"\xef\xbb\xbfa 1\nb 2\n", "ids are missing: a"),
        (b"\xff\xfe", "not a text"),
    ],
)
def test_problems_of_a_file(content, problem):
    found = submission_problems({"x.txt": content}, {"x.txt": ["a", "b"]})
    assert (found == []) if problem is None else any(problem in line for line in found)


def test_problems_of_names():
    found = submission_problems({"inner/x.txt": b"a 1\n", "y.txt": b""}, {"x.txt": ["a"]})
    assert any(line.startswith("x.txt: missing") for line in found)
    assert any("inner/x.txt: lies in the folder inner/" in line for line in found)
    assert any("y.txt: is not a file" in line for line in found)


def test_what_is_no_submission_is_refused(tmp_path):
    with pytest.raises(SubmissionError, match="no such"):
        read_submission(tmp_path / "absent.zip")
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(SubmissionError, match="not a zip"):
        read_submission(tmp_path / "text.zip")
    with pytest.raises(SubmissionError, match="found: none"):
        read_submission(tmp_path)
    with zipfile.ZipFile(tmp_path / "binary.zip", "w") as archive:
        for cell in SCORES:
            archive.writestr(cell.file_name(), b"\xff\xfe\x00")
    with pytest.raises(SubmissionError, match="UTF-8"):
        read_submission(tmp_path / "binary.zip")


def test_a_submission_is_not_taken_for_one_list(tmp_path):
    write_submission(tmp_path / "s.zip", SCORES, LISTS)
    for path in (tmp_path / "s.zip", tmp_path):
        with pytest.raises(ListError, match="is a submission"):
            read_score_columns_of(path)


def test_lists_are_found_in_the_data_set_or_one_folder_below(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "Urdu_test.txt").write_text("u1 v f\n")
    with pytest.raises(DatasetError, match=r"no test list English_test\.txt"):
        find_test_lists(tmp_path, ["English"])
    (tmp_path / "English_test.txt").write_text("e1 v f\n")
    found = find_test_lists(tmp_path, ["English", "Urdu"])
    assert found["Urdu"] == tmp_path / "lists" / "Urdu_test.txt"
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Urdu_test.txt").write_text("u1 v f\n")
    with pytest.raises(DatasetError, match="more than once"):
        find_test_lists(tmp_path, ["Urdu"])
    with pytest.raises(DatasetError, match="no such folder"):
        find_test_lists(tmp_path / "absent", ["Urdu"])
