"""Names, folders and lists of each challenge."""

import zipfile

import pytest

from src.artifacts.trials import Trial, read_trials, write_trials
from src.core.errors import DatasetError, SubmissionError
from src.scoring.cells import Cell, cells_of, cells_of_file_names
from src.scoring.challenges import CHALLENGES, file_prefix
from src.scoring.language_lists import read_cell_lists
from src.scoring.submission import read_submission, write_submission
from src.scoring.truth import join_submission

FLAG_FILES = [
    f"{folder}/sub_score_v4_{name}.txt"
    for folder in ("gender", "no_gender")
    for name in ("Bangla_heard", "Bangla_unheard", "English_heard", "English_unheard")
]


def write_lists(folder, *languages):
    for language in languages:
        trials = [Trial(f"{language[0]}{number}", "v.wav", "f.jpg") for number in (1, 2, 3)]
        write_trials(folder / f"{language}_test.txt", trials)


@pytest.mark.parametrize(
    ("challenge", "languages", "file_names", "prefix"),
    [
        ("fame2024", ("English", "Urdu"), None, "sub_score"),
        ("fame2024", ("English", "Urdu"), "versioned", "sub_score_v1"),
        ("fame2024", ("Hindi", "English"), "versioned", "sub_score_v2"),
        ("fame2026", ("English", "German"), "versioned", "sub_score_v3"),
        ("flag2027", ("English", "Bangla"), None, "sub_score_v4"),
        ("flag2027", ("English", "Bangla"), "plain", "sub_score"),
        (None, ("Klingon", "English"), None, "sub_score"),
        (None, ("German", "English"), "versioned", "sub_score_v3"),
    ],
)
def test_how_the_names_begin(challenge, languages, file_names, prefix):
    assert file_prefix(languages, CHALLENGES.get(challenge), file_names) == prefix


def test_languages_of_another_challenge_are_refused():
    with pytest.raises(SubmissionError, match="English and Urdu or English and Hindi"):
        CHALLENGES["fame2024"].require_languages(["English", "German"])
    with pytest.raises(SubmissionError, match="no version of MAV-Celeb pairs Klingon and Welsh"):
        file_prefix(["Welsh", "Klingon"], None, "versioned")


def test_flag_has_two_folders_of_four_files(tmp_path):
    challenge = CHALLENGES["flag2027"]
    write_lists(tmp_path / "lists", "English", "Bangla")
    write_lists(tmp_path / "lists" / "gender", "English", "Bangla")
    cells = cells_of(["English", "Bangla"], challenge.tracks)
    lists = read_cell_lists(tmp_path, cells)
    scores = {cell: dict.fromkeys((trial.trial_id for trial in lists[cell]), 0.5) for cell in cells}
    write_submission(tmp_path / "s.zip", scores, lists, file_prefix(["English", "Bangla"], challenge))
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == FLAG_FILES
    assert read_submission(tmp_path / "s.zip") == scores
    assert cells_of_file_names(FLAG_FILES)[Cell("English", "Bangla", "gender")] == FLAG_FILES[1]


def test_the_lists_of_each_track_are_told_apart(tmp_path):
    cells = cells_of(["English", "Bangla"], CHALLENGES["flag2027"].tracks)
    write_lists(tmp_path, "English", "Bangla")
    with pytest.raises(
        DatasetError, match=r"no test list gender/English_test\.txt.* looked for in a folder gender/"
    ):
        read_cell_lists(tmp_path, cells)
    write_lists(tmp_path / "gender", "English", "Bangla")
    write_trials(tmp_path / "gender" / "English_test.txt", [Trial("E2", "v.wav", "f.jpg")])
    lists = read_cell_lists(tmp_path, cells)
    assert [trial.trial_id for trial in lists[Cell("English", "English", "gender")]] == ["E2"]
    assert len(lists[Cell("English", "English", "no_gender")]) == 3
    (tmp_path / "English_test.txt").unlink()
    (tmp_path / "Bangla_test.txt").unlink()
    with pytest.raises(DatasetError, match=r"no test list no_gender/English_test\.txt"):
        read_cell_lists(tmp_path, cells)


def test_same_sex_trials_are_judged_by_their_part_of_the_truth(tmp_path):
    for language in ("English", "Bangla"):
        (tmp_path / f"{language}_test.csv").write_text("trial_id,label,same_sex\na,1,1\nb,0,1\nc,0,0\n")
    cells = cells_of(["English", "Bangla"], ("no_gender", "gender"))
    ids = {"no_gender": "abc", "gender": "ab"}
    frames = join_submission({cell: dict.fromkeys(ids[cell.track], 0.1) for cell in cells}, tmp_path)
    assert [len(frames[cell]) for cell in cells] == [3] * 4 + [2] * 4


def test_a_published_list_has_crlf_and_is_read(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"ysuvkz41 voices/English/00000.wav faces/English/00000.jpg\r\n\r\n")
    assert read_trials(tmp_path / "list.txt") == [
        Trial("ysuvkz41", "voices/English/00000.wav", "faces/English/00000.jpg")
    ]
