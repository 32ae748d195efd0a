import os

import pytest

from preprocessing import folder_readers
from preprocessing.folder_walk import walk_folders
from preprocessing.layouts import place, scan_layout
from src.core.errors import DatasetError

LANGUAGES = frozenset({"English", "Urdu"})


def files_of(scan):
    return [file for folder in scan.folders for file in folder.files()]


def make(root, *keys, content=b"x"):
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("voices/id0001/English/VID/00000.wav", ("voice", "id0001", "English", "VID", "train")),
        ("faces/id0001/Tamil/VID/0000275.jpg", ("face", "id0001", "Tamil", "VID", "train")),
        ("voices/English/00000.wav", ("voice", "", "English", "", "test")),
        ("faces/Urdu/00000.JPG", ("face", "", "Urdu", "", "test")),
        ("English_test/voices/00000.wav", ("voice", "", "English", "", "test")),
        ("German_test/face/00000.jpg", ("face", "", "German", "", "test")),
        ("voices/anna/one.flac", ("voice", "anna", "", "", "train")),
        ("faces/anna/one.webp", ("face", "anna", "", "", "train")),
        ("voices/anna/English/one.flac", ("voice", "anna", "English", "", "train")),
        ("wav/id10001/1zcIwhmdeo4/00001.wav", ("voice", "id10001", "", "1zcIwhmdeo4", "train")),
        ("id10001/1zcIwhmdeo4/00001.wav", ("voice", "id10001", "", "1zcIwhmdeo4", "train")),
        ("id10001/1zcIwhmdeo4/00001.mp4", ("face", "id10001", "", "1zcIwhmdeo4", "train")),
        ("faces/anna/one.MKV", ("face", "anna", "", "", "train")),
        ("videos/anna/English/one.webm", ("face", "anna", "English", "", "train")),
        ("voices/anna/one.mp4", ("voice", "anna", "", "", "train")),
    ],
)
def test_each_layout_is_understood(key, expected):
    file = place(key.split("/"), LANGUAGES, 7)
    assert (file.modality, file.person, file.language, file.video, file.split) == expected
    assert (file.key, file.size_bytes) == (key, 7)


@pytest.mark.parametrize(
    "key",
    [
        "00000.wav",
        "voices/00000.wav",
        "voices/id0001/English/VID/deeper/00000.wav",
        "voices/id0001/English/VID/00000.jpg",
        "English_test/voices/sub/00000.wav",
        "music/album/song.wav",
    ],
)
def test_what_lies_elsewhere_is_not_guessed(key):
    assert place(key.split("/"), LANGUAGES, 1) is None


def test_a_scan_is_ordered_and_counts_what_it_ignores(tmp_path):
    make(tmp_path, "voices/id2/English/v/1.wav", "voices/id1/English/v/2.wav", "voices/id1/English/v/1.wav")
    make(tmp_path, "faces/English/2.jpg", "README.txt", "faces/.DS_Store", "faces/id1/English/v/1.wav")
    scan = scan_layout(tmp_path)
    assert [file.key for file in files_of(scan)] == [
        "faces/English/2.jpg",
        "voices/id1/English/v/1.wav",
        "voices/id1/English/v/2.wav",
        "voices/id2/English/v/1.wav",
    ]
    assert dict(scan.ignored) == {"other kind of file": 1, "hidden": 1, "outside the layouts": 1}


def test_folders_of_people_hold_videos_where_nothing_else_is(tmp_path):
    make(tmp_path, "anna/a.mp4", "anna/b.wav", "ben/c.mov", "d.mp4")
    scan = scan_layout(tmp_path)
    assert [(file.key, file.person, file.modality) for file in files_of(scan)] == [
        ("anna/a.mp4", "anna", "face"),
        ("ben/c.mov", "ben", "face"),
    ]
    make(tmp_path, "faces/anna/1.jpg")
    assert [file.key for file in files_of(scan_layout(tmp_path))] == ["faces/anna/1.jpg"]


def test_languages_of_training_folders_and_of_lists_name_test_folders(tmp_path):
    make(
        tmp_path, "voices/id1/Tamil/v/1.wav", "voices/Tamil/1.wav", "voices/Welsh/1.wav", "voices/anna/1.wav"
    )
    files = {file.key: file for file in files_of(scan_layout(tmp_path, frozenset({"Welsh"})))}
    assert files["voices/Tamil/1.wav"].split == files["voices/Welsh/1.wav"].split == "test"
    assert files["voices/anna/1.wav"].person == "anna"


def test_a_name_that_is_not_text_is_counted(tmp_path):
    make(tmp_path, "voices/English/1.wav")
    try:
        (tmp_path / "voices/English" / os.fsdecode(b"\xff.wav")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes no such names")
    scan = scan_layout(tmp_path)
    assert len(files_of(scan)) == 1
    assert scan.ignored["name is not UTF-8"] == 1


def test_linked_folders_are_followed_and_circles_end(tmp_path):
    make(tmp_path, "elsewhere/English/v/1.wav")
    (tmp_path / "data/voices").mkdir(parents=True)
    (tmp_path / "data/voices/id1").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/voices/id1/English/again").symlink_to(tmp_path / "data")
    files = files_of(scan_layout(tmp_path / "data", follow_links=True))
    assert [file.key for file in files] == ["voices/id1/English/v/1.wav"]


def test_missing_empty_and_unrecognised_folders_are_explained(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        scan_layout(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"is empty[\s\S]*voices/<person>"):
        scan_layout(tmp_path / "empty")
    make(tmp_path / "photos", "holiday/beach.jpg", "notes.txt")
    with pytest.raises(DatasetError, match=r"holiday/, notes.txt[\s\S]*MAV-Celeb, training"):
        scan_layout(tmp_path / "photos")
    make(tmp_path / "outer", "v1/voices/English/1.wav")
    with pytest.raises(DatasetError, match=r"Did you mean .*outer/v1\?"):
        scan_layout(tmp_path / "outer")


@pytest.fixture
def several_processes(monkeypatch):
    """Even a small data set is read by two processes, a folder at a time."""
    monkeypatch.setattr(folder_readers, "_FEWEST_FOLDERS", 2)
    monkeypatch.setattr(folder_readers, "_FOLDERS_AT_ONCE", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def test_several_processes_read_what_one_reads(tmp_path, several_processes, monkeypatch):
    make(tmp_path, *(f"{person}/{file}.wav" for person in ("anna", "ben", "änna") for file in range(2)))
    make(tmp_path, "README.txt")
    found = walk_folders(tmp_path, follow_links=False)
    monkeypatch.setattr(folder_readers, "_FEWEST_FOLDERS", 1000)
    assert found == walk_folders(tmp_path, follow_links=False)
    assert sum(len(folder.names) for folder in found) == 7


def test_what_one_of_several_processes_meets_is_raised(tmp_path, several_processes):
    make(tmp_path, "data/voices/1.wav", "elsewhere/1.wav")
    (tmp_path / "data/link").symlink_to(tmp_path / "elsewhere")
    folders = [("voices",), ()]
    for met, message in ((DatasetError, "leads out of the data set"), (FileNotFoundError, "absent")):
        with pytest.raises(met, match=message):
            list(folder_readers.read_folders(str(tmp_path / "data"), folders, str(tmp_path / "data")))
        folders = [("voices",), ("absent",)]
