"""Speaker turns, lists, truths and scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.artifacts.scores import format_scores, parse_scores, read_scores, write_scores
from src.artifacts.sources import SourceRecord, frame_key, output_path, read_sources, write_sources
from src.artifacts.trials import (
    TrainingPair,
    Trial,
    read_training_pairs,
    read_trials,
    write_training_pairs,
    write_trials,
)
from src.artifacts.truths import read_truth
from src.artifacts.turns import SpeakerTurn, read_turns, write_turns
from src.core.errors import DatasetError, ListError

NAMES = st.text("abcdefghij0123456789", min_size=1, max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_turns_round_trip_as_rttm(tmp_path):
    turns = [SpeakerTurn(1.5, 2.25, "B"), SpeakerTurn(0.0, 1.0, "A")]
    write_turns(tmp_path / "a.rttm", "a recording", turns)
    assert (tmp_path / "a.rttm").read_text().splitlines()[0] == (
        "SPEAKER a_recording 1 0.000 1.000 <NA> <NA> A <NA> <NA>"
    )
    assert read_turns(tmp_path / "a.rttm") == sorted(turns)


def test_a_malformed_turn_is_named(tmp_path):
    (tmp_path / "a.rttm").write_text("SPEAKER a 1 0.0 1.0 <NA> <NA> A\nSPEAKER a 1 zero 1.0 <NA> <NA> A\n")
    with pytest.raises(ListError, match="line 2"):
        read_turns(tmp_path / "a.rttm")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lists_are_read_with_either_line_ending_blank_lines_tabs_and_a_mark(tmp_path, ending):
    (tmp_path / "train.txt").write_bytes(f"\ufeffid1/E/v/0.wav\tid1/E/w/0.jpg{ending}{ending}".encode())
    (tmp_path / "test.txt").write_bytes(f"abc voices/E/0.wav  faces/E/0.jpg{ending}".encode())
    assert read_training_pairs(tmp_path / "train.txt") == [TrainingPair("id1/E/v/0.wav", "id1/E/w/0.jpg")]
    assert read_trials(tmp_path / "test.txt") == [Trial("abc", "voices/E/0.wav", "faces/E/0.jpg")]


def test_lists_are_written_as_published(tmp_path):
    write_training_pairs(tmp_path / "train.txt", [TrainingPair("a.wav", "b.jpg")])
    write_trials(tmp_path / "test.txt", [Trial("abc", "a.wav", "b.jpg")])
    assert (tmp_path / "train.txt").read_bytes() == b"a.wav b.jpg\r\n"
    assert (tmp_path / "test.txt").read_bytes() == b"abc a.wav b.jpg\r\n"


def test_malformed_and_repeated_rows_are_named(tmp_path):
    (tmp_path / "test.txt").write_text("a b c\nonly two\n")
    with pytest.raises(ListError, match="line 2"):
        read_trials(tmp_path / "test.txt")
    (tmp_path / "test.txt").write_text("a b c\na d e\n")
    with pytest.raises(ListError, match="more than once: a"):
        read_trials(tmp_path / "test.txt")
    with pytest.raises(ListError, match="no such list"):
        read_trials(tmp_path / "absent.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ListError, match="UTF-8"):
        read_trials(tmp_path / "binary.txt")


def test_truths_are_read_from_plain_lines_and_from_csv(tmp_path):
    (tmp_path / "plain.txt").write_text("a 1\nb 0\n")
    (tmp_path / "table.csv").write_text("trial_id,label,same_sex\n007,1,1\nb,0,0\n")
    assert read_truth(tmp_path / "plain.txt")["label"].to_dict() == {"a": 1, "b": 0}
    table = read_truth(tmp_path / "table.csv")
    assert list(table.index) == ["007", "b"]
    assert list(table["same_sex"]) == [1, 0]


@pytest.mark.parametrize(
    "content", ["a 2\n", "a x\n", "trial_id,label\na,0.5\n", "a 1\na 0\n", "trial_id,truth\na,1\n"]
)
def test_wrong_truths_are_refused(tmp_path, content):
    (tmp_path / "truth").write_text(content)
    with pytest.raises(ListError):
        read_truth(tmp_path / "truth")


@given(st.dictionaries(NAMES, FINITE, max_size=20))
def test_scores_round_trip(scores):
    read = parse_scores(format_scores(scores), "memory")
    assert list(read) == list(scores)
    assert list(read.values()) == pytest.approx(list(scores.values()), rel=1e-7)


def test_scores_that_no_scorer_accepts_are_refused(tmp_path):
    for value in (float("nan"), float("inf")):
        with pytest.raises(ListError, match="not finite"):
            write_scores(tmp_path / "s.txt", {"a": value})
    assert not (tmp_path / "s.txt").exists()
    for text in ("a\n", "a x\n", "a 1 2\n", "a nan\n", "a 1\na 2\n"):
        with pytest.raises(ListError, match="line"):
            parse_scores(text, "s.txt")
    with pytest.raises(ListError, match="no such"):
        read_scores(tmp_path / "absent.txt")


def test_sources_round_trip(tmp_path):
    record = SourceRecord(
        key="voices/id1/E/v/0.wav",
        modality="voice",
        identity="id1",
        language="E",
        video="v",
        split="train",
        size_bytes=9,
    )
    write_sources(tmp_path / "sources.parquet", [record])
    assert read_sources(tmp_path) == [record]
    with pytest.raises(DatasetError, match="not a work folder"):
        read_sources(tmp_path / "elsewhere")


def test_outputs_never_share_a_file():
    names = [output_path("voice/clean", key, ".wav") for key in ("a.wav", "a.flac", "a.WAV", "b.wav")]
    assert len(set(names)) == 4


def test_long_names_are_cut_and_stay_apart():
    keys = ["id1/" + "ä" * 126 + f"{end}.png" for end in "ab"]
    outputs = [output_path("face/crops", key, ".jpg") for key in keys]
    assert len(set(outputs)) == 2
    for output in outputs:
        assert len(output.rpartition("/")[2].encode()) <= 255
        assert output.startswith("face/crops/id1/ä")
        assert output.endswith(".jpg")


def test_a_frame_knows_its_file_and_its_time(tmp_path):
    common = {
        "modality": "face",
        "identity": "a",
        "language": "",
        "video": "v",
        "split": "train",
        "size_bytes": 9,
    }
    times = [10.0, 9.5, 0.0]
    frames = [SourceRecord(key=frame_key("faces/a#t=1/v.mp4", t), time_seconds=t, **common) for t in times]
    assert frames[0].key == "faces/a#t=1/v.mp4#t=10.000"
    assert {frame.file_key for frame in frames} == {"faces/a#t=1/v.mp4"}
    assert [frame.time_seconds for frame in sorted(frames, key=lambda one: one.order)] == [0.0, 9.5, 10.0]
    write_sources(tmp_path / "sources.parquet", frames)
    assert read_sources(tmp_path) == frames
    photograph = SourceRecord(key="faces/a#t=1/p.jpg", **common)
    assert (photograph.file_key, photograph.order) == (photograph.key, (photograph.key, 0.0))
