import pytest

from src.core.errors import SubmissionError
from src.scoring.cells import Cell, cells_of, cells_of_file_names


def test_the_four_files_of_a_challenge_bear_the_language_of_the_test():
    names = {(cell.training_language, cell.file_name()) for cell in cells_of(["English", "Urdu"])}
    assert names == {
        ("English", "sub_score_English_heard.txt"),
        ("English", "sub_score_Urdu_unheard.txt"),
        ("Urdu", "sub_score_Urdu_heard.txt"),
        ("Urdu", "sub_score_English_unheard.txt"),
    }


@pytest.mark.parametrize("prefix", ["sub_score", "sub_score_v1"])
def test_file_names_lead_back_to_their_cells(prefix):
    cells = cells_of(["German", "English"])
    names = {cell.file_name(prefix) for cell in cells}
    assert cells_of_file_names(names) == {cell: cell.file_name(prefix) for cell in cells}
    assert cells_of_file_names(names)[Cell("German", "English")] == f"{prefix}_English_unheard.txt"


@pytest.mark.parametrize("languages", [[], ["English"], ["English", "English"], ["English", "Urdu", "Hindi"]])
def test_other_than_two_languages_are_refused(languages):
    with pytest.raises(SubmissionError, match="two languages"):
        cells_of(languages)


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["sub_score_English_heard.txt"],
        ["s_A_heard.txt", "s_A_unheard.txt", "s_B_heard.txt", "t_B_unheard.txt"],
        ["s_A_heard.txt", "s_A_unheard.txt", "s_B_heard.txt", "s_C_unheard.txt"],
        ["s_A_heard.txt", "s_A_unheard.txt", "s_B_heard.txt", "s_B_unheard.txt", "readme.md"],
    ],
)
def test_files_that_are_no_submission_are_refused(names):
    with pytest.raises(SubmissionError, match="four files"):
        cells_of_file_names(names)
