"""Lists, links, keys and tables lead nowhere but into the data set and the work folder."""

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.settings import TokenSettings
from features.voice_tokens import VoiceTokenWorker
from preprocessing.scan import scan_dataset
from src.artifacts.clean_media import CleanMedium
from src.artifacts.sources import SourceRecord, output_path
from src.artifacts.trials import TrainingPair, Trial, write_training_pairs, write_trials
from src.core.errors import DatasetError, ListError, MediaError, SubmissionError
from src.core.files import path_below
from src.encoders.registry import load_encoder
from src.scoring.submission import read_submission

OUTSIDE = ["../../etc/passwd", "/etc/passwd", "voices/../../secret.wav", "voices\\..\\secret.wav", ".."]


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "secret.wav").write_text("mine")
    for name in ("voices/id1/English/v/1.wav", "faces/id1/English/v/1.jpg", "voices/English/1.wav"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text("medium")
    return tmp_path / "data"


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("modality", ["voice", "face"])
def test_lists_name_nothing_outside(dataset, path, modality):
    inside = {"voice": "voices/English/1.wav", "face": "faces/English/1.jpg"}
    write_trials(dataset / "English_test.txt", [Trial("t", **{**inside, modality: path})])
    with pytest.raises(ListError, match="outside the data set"):
        scan_dataset(dataset)
    (dataset / "English_test.txt").unlink()
    write_training_pairs(dataset / "English_train.txt", [TrainingPair(**{**inside, modality: path})])
    with pytest.raises(ListError, match="outside the data set"):
        scan_dataset(dataset)


@pytest.mark.parametrize(
    "place", ["voices/id1/English/v/2.wav", "voices/id1/English/w", "voices/id2", "faces/id2"]
)
def test_links_out_of_the_data_set_are_refused(dataset, place):
    target = dataset.parent / "secret.wav" if place.endswith(".wav") else dataset.parent / "folder"
    (dataset.parent / "folder").mkdir(exist_ok=True)
    (dataset / place).symlink_to(target)
    with pytest.raises(DatasetError, match=rf"{Path(place).name}.*leads out of the data set.*--follow-links"):
        scan_dataset(dataset)
    assert scan_dataset(dataset, follow_links=True).records


def test_links_within_the_data_set_are_followed(dataset):
    (dataset / "voices/id1/English/v/2.wav").symlink_to("1.wav")
    link = dataset.parent / "link to all"
    link.symlink_to(dataset)
    keys = [record.key for record in scan_dataset(link).of("voice")]
    assert "voices/id1/English/v/2.wav" in keys


def test_a_listed_file_behind_a_link_out_is_refused(dataset):
    """Below the depth of the layouts, where the scan does not look."""
    deep = dataset / "voices/id1/English/v/w"
    deep.mkdir()
    (deep / "link").symlink_to(dataset.parent)
    pair = TrainingPair("id1/English/v/w/link/secret.wav", "id1/English/v/1.jpg")
    write_training_pairs(dataset / "English_train.txt", [pair])
    with pytest.raises(DatasetError, match="leads out of the data set"):
        scan_dataset(dataset)


@given(
    st.lists(st.sampled_from(["..", ".", "", "a", "ä b", "voices", "#t=1.000", "~"]), min_size=1),
    st.booleans(),
)
def test_outputs_stay_in_their_folder(parts, rooted):
    key = ("/" if rooted else "") + "/".join(parts)
    try:
        output = output_path("voice/clean", key, ".wav")
    except DatasetError:
        assert ".." in parts
        return
    assert os.path.normpath(f"/srv/{output}").startswith("/srv/voice/clean/")


@example("//etc/passwd")  # POSIX knows a root of two slashes
@given(st.text(st.sampled_from("./a\0~")))
def test_paths_of_tables_stay_in_their_folder(relative):
    try:
        path = path_below(Path("/srv/folder"), relative)
    except MediaError as error:
        assert error.reason == "outside_folder"
        return
    assert os.path.normpath(path).startswith("/srv/folder")


def test_a_manifest_that_names_other_files_fails_row_by_row(tmp_path):
    (tmp_path / "work").mkdir()
    source = SourceRecord(
        key="a", modality="voice", identity="", language="", video="", split="test", size_bytes=1
    )
    media = [CleanMedium(source=source, output=path, reason="") for path in ("../secret.wav", "/etc/passwd")]
    encoder = load_encoder("ecapa-compact")
    manifest = VoiceTokenWorker(TokenSettings(), tmp_path / "work", encoder)(media)["manifest"]
    assert manifest["reason"].to_pylist() == ["outside_folder"] * 2


def test_archives_are_read_in_memory_and_within_bounds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("../../sub_score_English_heard.txt", "t 0.5\n")
    with pytest.raises(SubmissionError):
        read_submission(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sub_score_English_heard.txt", b"0" * 100_000_000)
    with pytest.raises(SubmissionError, match="would unpack to 100,000,000 bytes"):
        read_submission(tmp_path / "bomb.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bomb.zip", "out.zip"]
