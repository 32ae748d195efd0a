import pytest

from preprocessing.dataset_lists import read_dataset_lists
from src.core.errors import ListError

ROW = "id1/English/v/1.wav id2/English/v/1.jpg\r\n"


def test_lists_are_found_in_the_data_set_or_a_folder_below(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "English_train.txt").write_bytes(ROW.encode())
    (tmp_path / "lists/Urdu_test.txt").write_text("t1 voices/Urdu/1.wav faces/Urdu/1.jpg\n")
    (tmp_path / "notes.txt").write_text("nothing")
    lists = read_dataset_lists(tmp_path)
    assert lists.languages == {"English", "Urdu"}
    assert lists.training["English"][0].face == "id2/English/v/1.jpg"
    assert lists.trials["Urdu"][0].trial_id == "t1"


def test_a_named_folder_counts_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "data/English_train.txt").write_text(ROW)
    (tmp_path / "other/Urdu_train.txt").write_text(ROW)
    assert read_dataset_lists(tmp_path / "data", tmp_path / "other").languages == {"Urdu"}
    with pytest.raises(ListError, match="no such folder"):
        read_dataset_lists(tmp_path / "data", tmp_path / "absent")
    (tmp_path / "bare").mkdir()
    with pytest.raises(ListError, match=r"holds no <Language>_train\.txt"):
        read_dataset_lists(tmp_path / "data", tmp_path / "bare")


def test_two_lists_of_one_name_must_agree(tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "English_train.txt").write_text(ROW)
    (tmp_path / "copy/English_train.txt").write_text(ROW)
    assert len(read_dataset_lists(tmp_path).training["English"]) == 1
    (tmp_path / "copy/English_train.txt").write_text(ROW.replace("id1", "id3"))
    with pytest.raises(ListError, match="different content"):
        read_dataset_lists(tmp_path)


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret/1.wav", "id1\\English\\v\\1.wav"])
def test_paths_that_lead_outside_are_refused(tmp_path, path):
    (tmp_path / "English_train.txt").write_text(f"{path} id2/English/v/1.jpg\n")
    with pytest.raises(ListError, match="outside the data set"):
        read_dataset_lists(tmp_path)
