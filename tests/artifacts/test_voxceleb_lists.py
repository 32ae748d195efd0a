"""VoxCeleb's lists as they are published: excerpts in their format, and the real ones where they are."""

from pathlib import Path

import pytest

from src.artifacts.people import People, Property
from src.artifacts.trial_table import TrialTable
from src.artifacts.trials import Trial
from src.artifacts.truths import read_truth
from src.artifacts.voxceleb_lists import (
    KnownMedium,
    KnownTrial,
    Question,
    read_matching_list,
    read_retrieval_list,
    write_matching_list,
    write_retrieval_list,
    write_verification_list,
)
from src.core.errors import ListError

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/data/voxceleb"
MATCHING = (
    "A.R._Rahman/1.6/RLKKsYiCMvc/0013500.jpg id10002/C7k7C-PDvAA/00001.wav id10278/rgcxEM5jOc4/00011.wav\n"
    "A.R._Rahman/1.6/gaQqIoV_aLY/0005725.jpg id10002/6WO410QOeuo/00008.wav id10967/dMcfbyrNDwE/00002.wav\n"
)


def test_lists_round_trip_to_the_byte(tmp_path):
    (tmp_path / "m.csv").write_text(MATCHING)
    questions = read_matching_list(tmp_path / "m.csv")
    assert questions[0].candidates[0] == "id10002/C7k7C-PDvAA/00001.wav"
    write_matching_list(tmp_path / "again.csv", questions)
    assert (tmp_path / "again.csv").read_text() == MATCHING
    media = [KnownMedium("id10002", "id10002/0_laIeN-Q44/00001.wav")]
    write_retrieval_list(tmp_path / "r.csv", "voice", media)
    assert (tmp_path / "r.csv").read_text() == "VoxCeleb1 ID\twav\nid10002\tid10002/0_laIeN-Q44/00001.wav\n"
    assert read_retrieval_list(tmp_path / "r.csv", "voice") == media
    trials = [
        KnownTrial(Trial("1", "a/0.wav", "a/0.jpg"), "a", "a"),
        KnownTrial(Trial("2", "a/0.wav", "b/0.jpg"), "a", "b"),
    ]
    write_verification_list(tmp_path / "v.txt", trials)
    assert (tmp_path / "v.txt").read_text().splitlines()[1:] == [
        "1,a,a,1,a/0.wav,a/0.jpg",
        "2,a,b,0,a/0.wav,b/0.jpg",
    ]
    assert read_truth(tmp_path / "v.txt")["label"].tolist() == [1, 0]


def test_marks_tabs_and_blank_lines_change_nothing(tmp_path):
    text = "\ufeff" + MATCHING.replace(" ", "\t").replace("\n", "\r\n\r\n")
    (tmp_path / "m.csv").write_bytes(text.encode())
    (tmp_path / "plain.csv").write_text(MATCHING)
    assert read_matching_list(tmp_path / "m.csv") == read_matching_list(tmp_path / "plain.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p a b\n\np a\n", "do not have a probe and 2 candidates: lines 3"),
        ("p a\n", "do not have a probe and 2 candidates: lines 1"),
        ("p a b\np a a\n", "have a candidate twice: lines 2"),
        ("\n", "holds no line"),
    ],
)
def test_matching_lists_that_ask_nothing(tmp_path, text, message):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ListError, match=message):
        read_matching_list(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VoxCeleb1 ID\tjpg\na\tx.jpg\n", "has the columns VoxCeleb1 ID and wav; found: VoxCeleb1 ID, jpg"),
        ("VoxCeleb1 ID\twav\na\tx.wav\nb\tx.wav\n", "repeat a medium: lines 3"),
        ("VoxCeleb1 ID\twav\na\t\n", "have an empty field: lines 2"),
        ("VoxCeleb1 ID\twav\n", "holds no medium"),
    ],
)
def test_retrieval_lists_that_do_not_say_who(tmp_path, text, message):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ListError, match=message):
        read_retrieval_list(tmp_path / "r.csv", "voice")


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="../shared/data/voxceleb is absent")
def test_the_published_lists_are_read_as_they_are():
    people = People.read(PUBLISHED / "vox1_meta.csv")
    assert len(people.table) == 1251
    for name in ("random_unseenunheard", "GNA_seenheard"):
        path = PUBLISHED / f"veriflist_test_{name}.txt"
        truth = read_truth(path)
        assert len(TrialTable.read(path)) == len(truth)
        assert ((truth["voice_identity"] == truth["face_identity"]) == (truth["label"] == 1)).all()
        gender = Property.parse("gender")
        voices = people.values(gender, truth["voice_identity"])
        faces = people.values(gender, truth["face_identity"])
        agreeing = [one == other for one, other in zip(voices, faces, strict=True)]
        # the lists were made from other labels than the meta data that is published beside them
        assert (sum(agreeing) / len(agreeing) > 0.99) == name.startswith("GNA")
    for name in ("f2v_G", "v2f_U"):
        questions = read_matching_list(PUBLISHED / f"matching_{name}.csv")
        assert {len(one.candidates) for one in questions} == {2}
        rows = [
            people.row_of(path.split("/")[0]) for one in questions for path in (one.probe, *one.candidates)
        ]
        assert rows[0::3] == rows[1::3] and all(a != b for a, b in zip(rows[0::3], rows[2::3], strict=True))
    for modality, name in (("voice", "wav_20k"), ("face", "jpg_20k")):
        media = read_retrieval_list(PUBLISHED / f"{name}.csv", modality)
        assert len(media) == 20_000
        assert isinstance(media[0], KnownMedium)
    assert isinstance(questions[0], Question)
