import pytest

from src.core.files import atomic_path, read_json, write_json, write_text


def test_text_is_written_with_its_line_endings(tmp_path):
    write_text(tmp_path / "deep" / "list.txt", "a b\r\nc d\r\n")
    assert (tmp_path / "deep" / "list.txt").read_bytes() == b"a b\r\nc d\r\n"


def test_json_round_trip(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Übung", "values": [1, 2.5]})
    assert read_json(tmp_path / "a.json") == {"name": "Übung", "values": [1, 2.5]}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "kept.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_the_temporary_name_keeps_the_suffix_and_the_folder(tmp_path):
    with atomic_path(tmp_path / "sound.wav") as temporary:
        assert temporary.suffix == ".wav"
        assert temporary.parent == tmp_path
