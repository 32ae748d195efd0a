import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.keynote_measures import measure, measure_file
from src.artifacts.turns import SpeakerTurn, write_turns
from src.core.errors import DatasetError

TRUTH = [SpeakerTurn(0, 4, "anna"), SpeakerTurn(3, 6, "ben")]


def test_frames_of_one_recording():
    found = measure_file([(1.0, 5.0), (7.0, 8.0)], TRUTH, "anna", 10.0)
    assert (found.kept, found.main, found.both, found.kept_silence) == (500, 400, 300, 100)
    assert (found.main_alone, found.both_alone) == (300, 200)


def test_the_figures_of_a_work_folder(tmp_path):
    work, truth = tmp_path / "work", tmp_path / "truth"
    rows = [
        {"key": "a.wav", "split": "train", "status": "done", "reason": "", "duration_seconds": 10.0},
        {"key": "b.wav", "split": "test", "status": "failed", "reason": "no_speech", "duration_seconds": 5.0},
        {"key": "c.wav", "split": "test", "status": "failed", "reason": "missing", "duration_seconds": None},
    ]
    segments = [{"key": "a.wav", "start_seconds": 1.0, "end_seconds": 5.0, "position_seconds": 0.0}]
    for name, content in (("manifest", rows), ("segments", segments)):
        path = work / f"voice/{name}/part-00000.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(content), path)
    write_turns(work / "voice/turns/a.wav.rttm", "a", [SpeakerTurn(0, 4, "speaker00")])
    write_turns(work / "voice/turns/b.wav.rttm", "b", [])
    write_turns(truth / "rttm/a.rttm", "a", TRUTH)
    write_turns(truth / "rttm/b.rttm", "b", [SpeakerTurn(1, 2, "clara")])

    figures = measure(work, truth, split=None)
    assert figures["files"] == 2
    assert figures["outcomes"] == {"done": 1, "no_speech": 1}
    assert figures["purity"] == pytest.approx(300 / 400)
    assert figures["recall"] == pytest.approx(300 / 500)
    assert figures["recall_alone"] == pytest.approx(200 / 400)
    assert figures["diarization_error"] == pytest.approx((3 + 1) / 8)
    assert figures["missed"] == pytest.approx((3 + 1) / 8)
    assert measure(work, truth, split="train")["recall"] == pytest.approx(0.75)


def test_named_main_speakers_win_over_who_talks_most(tmp_path):
    test_the_figures_of_a_work_folder(tmp_path)
    (tmp_path / "truth/media_identities.csv").write_text(
        "key,modality,identity,language,split\na.wav,voice,ben,English,train\n"
    )
    assert measure(tmp_path / "work", tmp_path / "truth", split="train")["purity"] == pytest.approx(200 / 400)


def test_a_folder_without_voices_is_explained(tmp_path):
    with pytest.raises(DatasetError, match="python -m preprocessing"):
        measure(tmp_path, tmp_path, split=None)
