import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.errors import DatasetError
from src.data.face_corpus import FaceCorpus
from src.data.identity_folders import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    IdentityFolders,
    read_attributes,
    scan_identity_folders,
    validation_identities,
)
from src.data.speech_corpus import SpeechCorpus
from src.media.audio import write_audio
from src.media.image import write_jpeg


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_identities_are_folders_and_the_first_part_of_loose_names(tmp_path):
    for name in "dbca":
        touch(tmp_path / name / "0.wav")
        touch(tmp_path / name / "video" / "1.FLAC")
    touch(tmp_path / "single" / "0.wav")
    touch(tmp_path / "a" / "notes.txt")
    touch(tmp_path / "stray.wav")
    touch(tmp_path / "e-7-0000.flac")
    touch(tmp_path / "e-9-0000.flac")
    folders = scan_identity_folders([tmp_path], AUDIO_SUFFIXES, 2)
    assert folders.names == ("a", "b", "c", "d", "e")
    assert [path.relative_to(tmp_path).parts[0][0] for path in folders.files] == list("aabbccddee")
    assert folders.identities.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert "single" in scan_identity_folders([tmp_path], AUDIO_SUFFIXES, 1).names


def test_two_corpora_are_one_list_and_share_no_name(tmp_path):
    for name in "abcd":
        touch(tmp_path / "one" / name / "0.wav")
        touch(tmp_path / "two" / f"x{name}" / "0.wav")
        touch(tmp_path / "three" / name / "0.wav")
    folders = scan_identity_folders([tmp_path / "two", tmp_path / "one"], AUDIO_SUFFIXES, 1)
    assert folders.names == ("xa", "xb", "xc", "xd", "a", "b", "c", "d")
    assert folders.corpora.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    with pytest.raises(DatasetError, match="4 identities are in two corpora"):
        scan_identity_folders([tmp_path / "one", tmp_path / "three"], AUDIO_SUFFIXES, 1)


def test_too_few_identities_or_no_folder_are_errors(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        scan_identity_folders([tmp_path / "speakers"], AUDIO_SUFFIXES, 1)
    for name in "abc":
        touch(tmp_path / name / "0.jpg")
        touch(tmp_path / name / "1.jpg")
    with pytest.raises(DatasetError, match="3 identities"):
        scan_identity_folders([tmp_path], IMAGE_SUFFIXES, 2)


@given(st.lists(st.integers(4, 60), min_size=1, max_size=3), st.floats(0.0, 1.0), st.integers(0, 5))
def test_validation_leaves_two_identities_of_each_corpus_on_each_side(counts, share, seed):
    corpora = np.repeat(np.arange(len(counts)), counts)
    names = tuple(f"p{index}" for index in range(len(corpora)))
    folders = IdentityFolders(names, (), np.zeros(0, int), corpora)
    mask = validation_identities(folders, share, seed)
    for corpus in range(len(counts)):
        assert mask[corpora == corpus].sum() >= 2
        assert (~mask[corpora == corpus]).sum() >= 2
    assert np.array_equal(mask, validation_identities(folders, share, seed))


def test_attributes_become_numbers_in_the_order_of_the_names(tmp_path):
    path = tmp_path / "identities.csv"
    path.write_text("identity,age,sex\np2,30,male\np1,20.5,female\n")
    table = read_attributes(path, ["p1", "p2"], ["age"], ["sex"])
    assert table.columns.tolist() == ["age", "sex_female", "sex_male"]
    assert table.to_numpy().tolist() == [[20.5, 1, 0], [30, 0, 1]]


def test_unusable_attributes_are_named(tmp_path):
    path = tmp_path / "identities.csv"
    with pytest.raises(DatasetError, match="no such file"):
        read_attributes(path, ["p1"], ["age"], [])
    path.write_text("identity,age\np1,old\n")
    with pytest.raises(DatasetError, match="height"):
        read_attributes(path, ["p1"], ["height"], [])
    with pytest.raises(DatasetError, match="p9"):
        read_attributes(path, ["p1", "p9"], ["age"], [])
    with pytest.raises(DatasetError, match="not numbers"):
        read_attributes(path, ["p1"], ["age"], [])


def test_files_that_cannot_be_decoded_are_left_out_and_counted(tmp_path, caplog):
    for name in "abcd":
        for take in range(2):
            write_audio(tmp_path / "speech" / name / f"{take}.wav", np.full(1600, 0.25))
            write_jpeg(tmp_path / "faces" / name / f"{take}.jpg", np.full((20, 20, 3), 90, np.uint8))
    (tmp_path / "speech" / "b" / "1.wav").write_bytes(b"")
    (tmp_path / "faces" / "c" / "0.jpg").write_bytes(b"\xff\xd8")
    speech = SpeechCorpus.load(scan_identity_folders([tmp_path / "speech"], AUDIO_SUFFIXES, 1))
    faces = FaceCorpus.load(scan_identity_folders([tmp_path / "faces"], IMAGE_SUFFIXES, 2), 16)
    assert speech.identities.tolist() == [0, 0, 1, 2, 2, 3, 3]
    assert faces.identities.tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert faces.crops.shape == (7, 16, 16, 3)
    assert caplog.text.count("1 files are left out") == 2


def test_crops_lie_within_the_utterance_and_short_ones_repeat():
    utterances = [np.arange(1000, dtype=np.int16), np.array([5, -5], np.int16)]
    corpus = SpeechCorpus(utterances, np.array([3, 8]))
    crops = np.round(corpus.crops([0, 0, 1], 300, np.random.default_rng(0)) * 32767)
    assert (np.diff(crops[:2], axis=1) == 1).all()
    assert crops[0, 0] != crops[1, 0]
    assert set(crops[2].tolist()) == {5, -5}
    only = corpus.of_identities(np.arange(9) == 8)
    assert only.identities.tolist() == [8]
    assert only.seconds == 2 / 16_000
