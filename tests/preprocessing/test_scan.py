import pytest

from preprocessing.face_settings import FaceSettings
from preprocessing.scan import scan_dataset
from preprocessing.stage_parts import parts_for_stage
from preprocessing.video_records import frame_times
from tests.media.video_files import write_video

KEYS = [
    "voices/id1/English/v/1.wav",
    "voices/id1/English/v/2.wav",
    "faces/id3/English/w/1.jpg",
    "faces/id3/English/w/2.jpg",
    "voices/English/1.wav",
    "faces/English/1.jpg",
]


@pytest.fixture
def dataset(tmp_path):
    for key in KEYS:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"12345")
    (tmp_path / "English_train.txt").write_text("id1/English/v/1.wav id3/English/w/1.jpg\r\n")
    (tmp_path / "English_test.txt").write_text("t1 voices/English/1.wav faces/English/1.jpg\r\n")
    return tmp_path


def test_records_carry_reconciled_identities(dataset):
    scan = scan_dataset(dataset)
    records = {record.key: record for record in scan.records}
    assert sorted(records) == sorted(KEYS)
    assert (
        records["voices/id1/English/v/1.wav"].identity
        == records["faces/id3/English/w/2.jpg"].identity
        == "id3"
    )
    assert records["voices/English/1.wav"].identity == ""
    assert records["voices/English/1.wav"].size_bytes == 5
    assert scan.missing == []
    assert scan.lines()[0].startswith(
        "found: 2 voices and 2 faces for training, 1 voices and 1 faces for test (English)"
    )


def test_files_that_lists_name_in_vain_become_records(dataset):
    with (dataset / "English_train.txt").open("a") as stream:
        stream.write("id1/English/v/9.wav id3/English/gone/9.jpg\n")
    with (dataset / "English_test.txt").open("a") as stream:
        stream.write("t2 voices/English/9.wav faces/English/1.jpg\n")
    scan = scan_dataset(dataset)
    records = {record.key: record for record in scan.records}
    assert scan.missing == [
        "faces/id3/English/gone/9.jpg",
        "voices/English/9.wav",
        "voices/id1/English/v/9.wav",
    ]
    lost = records["faces/id3/English/gone/9.jpg"]
    assert (lost.identity, lost.language, lost.video, lost.split, lost.size_bytes) == (
        "id3",
        "English",
        "gone",
        "train",
        0,
    )
    assert records["voices/English/9.wav"].split == "test"
    assert "lists name 3 files that are not there" in scan.lines()[-1]


def test_lists_of_media_that_are_no_part_of_the_data_set_are_only_reported(dataset):
    (dataset / "Urdu_test.txt").write_text("t1 voices/Urdu/1.wav faces/Urdu/1.jpg\n")
    scan = scan_dataset(dataset)
    assert scan.absent == ["the voices of Urdu_test.txt", "the faces of Urdu_test.txt"]
    assert len(scan.records) == len(KEYS)
    assert "not in this data set: the voices of Urdu_test.txt" in scan.lines()


def test_groups_hold_a_video_together_and_test_files_apart(dataset):
    voices = scan_dataset(dataset).of("voice")
    groups = list(parts_for_stage(voices, 1))
    assert [[record.key for record in group] for group in groups] == [["voices/English/1.wav"], KEYS[:2]]
    assert [len(part) for part in parts_for_stage(voices, 2)] == [3]


def test_videos_of_people_become_frames_and_sound(tmp_path):
    (tmp_path / "anna").mkdir()
    write_video(tmp_path / "anna/b.mp4", frames=21, sound=True)
    write_video(tmp_path / "anna/silent.mkv", frames=9)
    (tmp_path / "anna/broken.webm").write_bytes(b"no video")
    (tmp_path / "anna/notes.wav").write_bytes(b"")
    scan = scan_dataset(tmp_path, settings=FaceSettings(video_frames_per_second=0.5))
    assert [(record.modality, record.key, record.time_seconds, record.video) for record in scan.records] == [
        ("voice", "anna/b.mp4", None, ""),
        ("face", "anna/b.mp4#t=0.000", 0.0, "b.mp4"),
        ("face", "anna/b.mp4#t=2.000", 2.0, "b.mp4"),
        ("face", "anna/broken.webm#t=0.000", 0.0, "broken.webm"),
        ("face", "anna/silent.mkv#t=0.000", 0.0, "silent.mkv"),
    ]
    assert {record.identity for record in scan.records} == {"anna"}
    assert {record.file_key for record in scan.of("face")} == {
        "anna/b.mp4",
        "anna/broken.webm",
        "anna/silent.mkv",
    }
    assert scan.ignored == {"outside the layouts": 1}


def test_frames_stand_together_by_time_and_not_by_the_letters_of_their_keys(tmp_path):
    for folder in ("faces/anna", "faces/English"):
        (tmp_path / folder).mkdir(parents=True)
        write_video(tmp_path / folder / "a.mp4", frames=24)
        (tmp_path / folder / "a.jpg").write_bytes(b"")
    records = scan_dataset(tmp_path, settings=FaceSettings(video_frames_per_second=5)).records
    groups = list(parts_for_stage(records, 1))
    frames = [group for group in groups if group[0].time_seconds is not None]
    assert [[record.time_seconds for record in group] for group in frames] == [
        [number / 5 for number in range(12)]
    ] * 2
    assert {group[0].split for group in frames} == {"train", "test"}


def test_frame_times_are_spread_over_a_video():
    assert frame_times(0.0, 1.0, 10) == [0.0]
    assert frame_times(3.0, 1.0, 10) == [0.0, 1.0, 2.0]
    assert frame_times(1.0, 3.0, 10) == [0.0, 0.333, 0.667]
    assert frame_times(7_200.0, 1.0, 3) == [0.0, 2_400.0, 4_800.0]
