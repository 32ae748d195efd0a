"""Which media the lines of a list are, whichever of the three kinds it is."""

import pytest

from src.artifacts.key_list import ListedMedium, read_listed_media
from src.core.errors import ListError


def test_a_training_list_gives_keys_and_videos(tmp_path):
    path = tmp_path / "English_train.txt"
    path.write_bytes(
        b"id1/English/vid/0.wav id1/English/other/1.jpg\r\nid1/English/vid/0.wav faces/a.jpg\r\n"
    )
    assert read_listed_media(path, "voice") == [ListedMedium("voices/id1/English/vid/0.wav", "vid")] * 2
    assert read_listed_media(path, "face") == [
        ListedMedium("faces/id1/English/other/1.jpg", "other"),
        ListedMedium("faces/a.jpg", ""),
    ]


def test_a_test_list_gives_its_paths(tmp_path):
    path = tmp_path / "English_test.txt"
    path.write_text("t1 voices/English/0.wav faces/English/1.jpg\n")
    assert read_listed_media(path, "voice") == [ListedMedium("voices/English/0.wav", "")]
    assert read_listed_media(path, "face") == [ListedMedium("faces/English/1.jpg", "")]


def test_a_key_a_line(tmp_path):
    path = tmp_path / "keys.txt"
    path.write_text("a.wav\n\nb/c.wav\n")
    assert [medium.key for medium in read_listed_media(path, "face")] == ["a.wav", "b/c.wav"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no key"),
        (b"\xff", "not a text file"),
        (b"a b\nc\n", "do not have the 2 fields"),
        (b"a\nb c\n", "'b c'; keys have no white space"),
    ],
)
def test_unusable_lists_are_named(tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(ListError, match=message):
        read_listed_media(path, "voice")
    with pytest.raises(ListError, match="no such list of keys"):
        read_listed_media(tmp_path / "absent.txt", "voice")
