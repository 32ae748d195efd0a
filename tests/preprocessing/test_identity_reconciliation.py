import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.identity_reconciliation import person_folder, reconcile_identities
from src.artifacts.trials import TrainingPair
from src.core.errors import ListError


def pair(voice, face):
    return TrainingPair(f"{voice}/English/v/1.wav", f"{face}/English/w/1.jpg")


def test_rows_decide_who_is_who_and_the_face_id_names_the_person():
    found = reconcile_identities(
        [pair("id0064", "id0070"), pair("id0001", "id0001")], ["id0001", "id0064"], ["id0001", "id0070"]
    )
    assert found.names["voice"] == {"id0001": "id0001", "id0064": "id0070"}
    assert found.names["face"] == {"id0001": "id0001", "id0070": "id0070"}
    assert (found.paired, found.renumbered, found.voice_only, found.face_only) == (2, 1, (), ())
    assert found.line() == (
        "identities: 2 (2 paired by 2 rows of the training lists; 1 have another number as a voice than as a face; "
        "0 with voices alone, 0 with faces alone)"
    )


def test_where_numberings_differ_equal_names_are_not_one_person():
    found = reconcile_identities([pair("id1", "id2")], ["id1", "id5"], ["id2", "id5"])
    assert found.names["voice"]["id5"] == "voice-id5"
    assert found.names["face"]["id5"] == "id5"
    assert (found.voice_only, found.face_only) == (("voice-id5",), ("id5",))


def test_a_made_up_name_never_meets_a_real_one():
    found = reconcile_identities([pair("id1", "id2")], ["id5"], ["voice-id5"])
    assert found.names["voice"]["id5"] == "voice-voice-id5"


@pytest.mark.parametrize("pairs", [[], [pair("id1", "id1")]])
def test_where_numberings_agree_equal_names_are_one_person(pairs):
    found = reconcile_identities(pairs, ["id1", "id5", "id6"], ["id1", "id5"])
    assert found.names["voice"]["id5"] == found.names["face"]["id5"] == "id5"
    assert found.voice_only == ("id6",)
    assert found.summary()["people"] == 3


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([("id1", "id1"), ("id1", "id2")], r"voice id1 is paired with id1 .* and with id2"),
        ([("id1", "id1"), ("id2", "id1")], r"face id1 is paired with id1 .* and with id2"),
    ],
)
def test_contradictions_are_refused_and_named(rows, named):
    with pytest.raises(ListError, match=named):
        reconcile_identities([pair(*row) for row in rows], [], [])


def test_paths_may_start_at_the_modality_folder_and_need_a_person():
    assert person_folder("voices/id7/English/v/1.wav") == "id7"
    assert person_folder("id7/1.wav") == "id7"
    with pytest.raises(ListError, match="needs the person's folder"):
        person_folder("voices/1.wav")


@given(st.permutations(range(8)), st.integers(0, 8))
def test_distinct_people_keep_distinct_names(order, rows):
    voices = [f"id{number}" for number in range(8)]
    faces = [f"id{number}" for number in order]
    pairs = [pair(*row) for row in zip(voices[:rows], faces[:rows], strict=True)]
    found = reconcile_identities(pairs, voices, faces)
    assert len(set(found.names["voice"].values())) == len(set(found.names["face"].values())) == 8
    assert all(
        found.names["voice"][voice] == face for voice, face in zip(voices[:rows], faces[:rows], strict=True)
    )
    assert found.renumbered == sum(
        voice != face for voice, face in zip(voices[:rows], faces[:rows], strict=True)
    )
