import json

import pytest

from src.core.errors import DatasetError
from src.encoders.selection import check_crops, select_encoder_name


def work_of(folder, content):
    (folder / "preprocessing.json").write_text(json.dumps(content))
    return folder


def test_real_data_takes_the_published_encoders(tmp_path):
    work = work_of(tmp_path, {"generated_world": False})
    assert [select_encoder_name(work, modality) for modality in ("voice", "face")] == ["ecapa", "vggface2"]


def test_a_generated_world_takes_the_embedded_ones_and_says_so(tmp_path, caplog):
    work = work_of(tmp_path, {"generated_world": True})
    with caplog.at_level("INFO"):
        assert select_encoder_name(work, "voice") == "ecapa-compact"
    assert "ecapa-compact" in caplog.text


def test_a_name_that_was_asked_for_is_taken(tmp_path):
    assert select_encoder_name(tmp_path / "absent", "face", "vggface2") == "vggface2"


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_folder_that_is_no_work_folder_is_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / "preprocessing.json").write_text(content)
    with pytest.raises(DatasetError, match="python -m preprocessing"):
        select_encoder_name(tmp_path, "voice")


def test_square_crops_are_refused_where_aligned_ones_are_needed(tmp_path):
    with pytest.raises(DatasetError, match="--crop aligned"):
        check_crops("iresnet50", {"crop": "square"}, tmp_path)


def test_aligned_crops_for_an_encoder_of_square_ones_are_a_warning(tmp_path, caplog):
    check_crops("vggface2", {"crop": "aligned"}, tmp_path)
    assert "trained on square ones" in caplog.text


def test_crops_that_suit_pass_in_silence(tmp_path, caplog):
    check_crops("vggface2", {"crop": "square"}, tmp_path)
    check_crops("iresnet18", {"crop": "aligned"}, tmp_path)
    assert not caplog.text
