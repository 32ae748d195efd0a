import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.artifacts.trial_table import TrialTable
from src.artifacts.trials import Trial
from src.core.errors import ListError
from src.scoring.trial_keys import failure_reasons, refuse_climbing_paths, resolve_key


def test_a_path_is_taken_as_it_stands_before_the_folder_is_put_in_front():
    known = {"voices/id1/a.wav", "id1/a.wav", "voices/id2/a.wav"}
    assert resolve_key("id1/a.wav", "voice", known) == "id1/a.wav"
    assert resolve_key("id2/a.wav", "voice", known) == "voices/id2/a.wav"
    assert resolve_key("voices/id2/a.wav", "voice", known) == "voices/id2/a.wav"
    assert resolve_key("id2/a.wav", "face", known) == "id2/a.wav"
    assert resolve_key("id2/a", "voice", known) == "id2/a"  # never a near name


@pytest.mark.parametrize(
    "path", ["voices/German/0.wav", "German_test/voice/0.wav", "German_test/voices/0.wav"]
)
@pytest.mark.parametrize(
    "key", ["voices/German/0.wav", "German_test/voice/0.wav", "German_test/voices/0.wav"]
)
def test_every_spelling_of_a_test_medium_means_it(path, key):
    assert resolve_key(path, "voice", {key, "German_test/voice/1.wav", "voices/English/0.wav"}) == key


def test_a_path_below_the_modality_is_found_in_every_spelling_of_its_folder():
    assert resolve_key("id10002/v/1.wav", "voice", {"wav/id10002/v/1.wav"}) == "wav/id10002/v/1.wav"
    assert resolve_key("faces/id1/0.jpg", "face", {"face/id1/0.jpg"}) == "face/id1/0.jpg"
    assert (
        resolve_key("German_test/face/0.jpg", "face", {"English_test/face/0.jpg"}) == "German_test/face/0.jpg"
    )


@pytest.mark.parametrize("path", ["../../secret.wav", "voices/../../x.wav", "/etc/passwd"])
def test_paths_that_leave_the_data_set_are_refused_by_name(path):
    trials = [Trial("t1", "v..ok.wav", "f.jpg"), Trial("t2", path, "f.jpg")]
    with pytest.raises(ListError, match=r"list.txt: 1 paths.*\n.*t2"):
        refuse_climbing_paths(TrialTable.of(trials), "list.txt")


def test_reasons_come_from_both_manifests(tmp_path):
    for folder, rows in (
        ("voice", [("a", "failed", "silent"), ("b", "done", ""), ("c", "done", "")]),
        (
            "features/voice",
            [("a", "failed", "no_clean_file"), ("b", "failed", "too_short"), ("c", "done", "")],
        ),
    ):
        path = tmp_path / folder / "manifest" / "part-00000.parquet"
        path.parent.mkdir(parents=True)
        names = ("key", "status", "reason")
        pq.write_table(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]), path)
    assert failure_reasons(tmp_path / "features", "voice") == {"a": "silent", "b": "too_short"}
    assert failure_reasons(tmp_path / "features", "face") == {}
