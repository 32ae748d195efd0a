import numpy as np
import pytest

from benchmarks.process_memory import peak_bytes
from benchmarks.speech import main
from benchmarks.speech_diarizers import prepare_meetings
from benchmarks.speech_table import format_table, rows_of
from src.artifacts.turns import read_turns
from src.core.errors import DatasetError
from src.media.audio import write_audio

MEASURED = {
    "purity": 0.96,
    "recall": 0.8,
    "recall_alone": 0.84,
    "diarization_error": 0.15,
    "missed": 0.1,
    "false_alarm": 0.02,
    "confusion": 0.03,
    "speakers_right_share": 0.5,
    "speakers_surplus": 0.25,
}


def test_rows_say_what_is_met():
    figures = {
        "encoder": {"equal_error_rate": 0.03, "speakers": 6, "utterances": 60},
        "conversations": {"embedded": MEASURED, "pyannote": {"unavailable": "no weights"}},
        "memory": {"peak_bytes": 1.5e9, "file_seconds": 7200.0, "times_real_time": 50.0},
    }
    rows = list(rows_of(figures))
    assert [row.met for row in rows] == [True, False, True, None, False]
    assert "no weights" in rows[3].measured
    table = format_table(rows).splitlines()
    assert len({len(line) for line in table}) == 1 and len(table) == 7


def test_meetings_are_taken_apart_by_recording(tmp_path):
    folder = tmp_path / "ami"
    for name in ("one", "two"):
        write_audio(folder / f"{name}.wav", np.zeros(1600, np.float32))
    (folder / "reference.rttm").write_text(
        "SPEAKER one 1 1.0 2.0 <NA> <NA> MÉO <NA> <NA>\n", encoding="utf-8"
    )
    prepare_meetings(folder, tmp_path / "out")
    truth = tmp_path / "out/truth/rttm/voices/ami"
    assert [turn.speaker for turn in read_turns(truth / "one.rttm")] == ["MÉO"]
    assert read_turns(truth / "two.rttm") == []
    assert (tmp_path / "out/dataset/voices/ami/two.wav").is_file()
    with pytest.raises(DatasetError, match=r"reference\.rttm"):
        prepare_meetings(tmp_path / "nowhere", tmp_path / "out")


def test_absent_speech_is_explained(tmp_path):
    with pytest.raises(DatasetError, match="SPEECH_DATA=FOLDER"):
        main([str(tmp_path)])


def test_the_peak_is_that_of_a_python_process():
    assert 1e7 < peak_bytes() < 1e12
