"""Lists in columns: the same trials, the same refusals, and lines that are named."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.artifacts import field_columns
from src.artifacts.field_columns import line_numbers, read_columns
from src.artifacts.scores import ScoreColumns, read_score_columns, write_scores
from src.artifacts.trial_table import TrialTable
from src.artifacts.trials import Trial, read_trials, write_trials
from src.artifacts.truths import read_truth
from src.core.errors import ListError

TRIALS = [
    Trial("a", "v/0.wav", "f/0.jpg"),
    Trial("b", "v/0.wav", "f/1.jpg"),
    Trial("c", "v/1.wav", "f/0.jpg"),
]
VERIFICATION = "id,voice-speaker-id,face-speaker-id,label,voice-path,face-path\n"


def rows_of(table):
    return [
        Trial(table.trial_id(row), table.voice.path(row), table.face.path(row)) for row in range(len(table))
    ]


@pytest.mark.parametrize("block_lines", [1, 2, 1000])
def test_a_list_is_read_in_blocks(tmp_path, monkeypatch, block_lines):
    monkeypatch.setattr(field_columns, "_BLOCK_LINES", block_lines)
    write_trials(tmp_path / "list.txt", TRIALS)
    table = TrialTable.read(tmp_path / "list.txt")
    assert rows_of(table) == TRIALS == rows_of(TrialTable.of(TRIALS)) == read_trials(tmp_path / "list.txt")
    assert table.voice.paths == ["v/0.wav", "v/1.wav"]


def test_bad_lines_are_named_whatever_the_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(field_columns, "_BLOCK_LINES", 2)
    (tmp_path / "list.txt").write_text("a b c\n\nonly two\nd e f\na b c\n\tone\n")
    with pytest.raises(
        ListError, match=r"2 lines do not have the 3 fields.*\n.*line 3: 'only two'\n.*line 6"
    ):
        TrialTable.read(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("a b c\n\nd e f\na b c\n")
    with pytest.raises(ListError, match=r"1 trial ids stand more than once: a \(lines 1, 4\)"):
        TrialTable.read(tmp_path / "list.txt")
    assert line_numbers(tmp_path / "list.txt", [1, 2]) == [3, 4]
    with pytest.raises(ListError, match="no such list"):
        read_columns(tmp_path / "none.txt", ("a",))


def test_a_verification_list_is_a_list_and_a_truth(tmp_path):
    lines = "1,7,7,1,Ann/v_1.wav,Ann/v/2.jpg\r\n2,7,9,0,Ann/v_1.wav,Bea/w/3.jpg\r\n"
    (tmp_path / "list.txt").write_text(VERIFICATION + lines)
    table = TrialTable.read(tmp_path / "list.txt")
    assert rows_of(table) == [
        Trial("1", "Ann/v_1.wav", "Ann/v/2.jpg"),
        Trial("2", "Ann/v_1.wav", "Bea/w/3.jpg"),
    ]
    truth = read_truth(tmp_path / "list.txt")
    assert truth["label"].to_dict() == {"1": 1, "2": 0}
    assert truth["face_identity"].tolist() == ["Ann", "Bea"]


def test_people_of_a_verification_list_keep_their_ids_where_paths_name_nobody(tmp_path):
    lines = "1,ann,ann,1,voices/0.wav,faces/2.jpg\n2,ann,bea,0,voices/0.wav,faces/3.jpg\n"
    (tmp_path / "list.txt").write_text(VERIFICATION + lines)
    assert read_truth(tmp_path / "list.txt")["face_identity"].tolist() == ["ann", "bea"]


def test_bad_truths_name_their_lines(tmp_path):
    (tmp_path / "t.csv").write_text("trial_id,label\na,1\n\nb,2\n")
    with pytest.raises(ListError, match=r"1 labels are neither.* line 4: trial b has the label '2'"):
        read_truth(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("trial_id,label\na,1\nb,0\na,0\n")
    with pytest.raises(ListError, match=r"more than once: a \(lines 2, 4\)"):
        read_truth(tmp_path / "t.csv")


def test_bad_scores_name_their_lines(tmp_path):
    (tmp_path / "s.txt").write_text("a 1\n\nb nan\nc x\n")
    with pytest.raises(ListError, match=r"2 scores are not finite numbers: line 3 \(b nan\), line 4 \(c x\)"):
        read_score_columns(tmp_path / "s.txt")


@given(st.dictionaries(st.text("abc123", min_size=1), st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_scores_in_columns_round_trip(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("scores") / "s.txt"
    write_scores(path, ScoreColumns(pa.array(list(scores)), ScoreColumns.of(scores).scores))
    assert read_score_columns(path).by_id() == pytest.approx(scores, rel=1e-7)
