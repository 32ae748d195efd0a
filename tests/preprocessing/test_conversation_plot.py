import numpy as np
import pytest

from preprocessing.conversation_plot import (
    COLOURS,
    OTHER_COLOUR,
    plot_conversation,
    speaker_lanes,
    spectrogram_db,
)
from preprocessing.plot_stage import make_plot_stage, true_turns
from preprocessing.speech_stage import MANIFEST_SCHEMA, SEGMENT_SCHEMA
from src.artifacts.turns import SpeakerTurn, write_turns
from src.core.errors import DatasetError
from src.core.stage import Stage, read_parts, run_stage
from src.media.audio import write_audio
from src.media.image import read_image

TRUTH = [SpeakerTurn(0, 5, "anna"), SpeakerTurn(5, 8, "ben"), SpeakerTurn(8, 9, "clara")]


def tone(frequency_hz, seconds):
    return (0.1 * np.sin(2 * np.pi * frequency_hz * np.arange(round(16000 * seconds)) / 16000)).astype(
        np.float32
    )


def test_speakers_take_the_colour_of_whom_they_share_most_time_with():
    found = [
        SpeakerTurn(5.2, 9, "speaker00"),
        SpeakerTurn(0, 3, "speaker01"),
        SpeakerTurn(20, 21, "speaker02"),
    ]
    truth = {lane.label: lane.colour for lane in speaker_lanes(TRUTH, TRUTH)}
    assert list(truth.items()) == [("anna", COLOURS[0]), ("ben", COLOURS[1]), ("clara", COLOURS[2])]
    lanes = speaker_lanes(found, TRUTH)
    assert [lane.label for lane in lanes] == ["speaker00", "speaker01", "speaker02"]  # by falling talk
    assert [lane.colour for lane in lanes[:2]] == [truth["ben"], truth["anna"]]
    assert lanes[2].colour not in {truth["ben"], truth["anna"]}
    assert lanes[0].spans == [(5.2, 9)]


def test_the_least_of_many_speakers_share_a_lane():
    turns = [SpeakerTurn(10.0 * number, 10.0 * number + 9 - number / 2, f"p{number}") for number in range(9)]
    lanes = speaker_lanes(turns, [])
    assert [lane.label for lane in lanes] == [*(f"p{number}" for number in range(7)), "2 others"]
    assert lanes[-1].colour == OTHER_COLOUR
    assert len({lane.colour for lane in lanes}) == 8
    assert lanes[-1].spans == [(70.0, 75.5), (80.0, 85.0)]
    assert speaker_lanes([], TRUTH) == []


def test_a_spectrogram_shows_a_tone_where_it_is():
    shown = spectrogram_db(np.concatenate([tone(1000, 1), tone(4000, 1)]))
    assert shown.shape == (257, 200)
    assert shown[:, 20].argmax() == round(1000 / 8000 * 256)
    assert shown[:, 180].argmax() == round(4000 / 8000 * 256)
    assert spectrogram_db(np.zeros(16000 * 30, np.float32)).shape == (257, 2000)


@pytest.mark.parametrize("seconds", [0.01, 12])
def test_a_plot_is_a_picture_whatever_there_is_to_show(tmp_path, seconds):
    path = tmp_path / "folder/plot.png"
    plot_conversation(path, "silence", tone(500, seconds), {}, [])
    bare = read_image(path).shape
    opinions = {"truth": TRUTH, "embedded": [SpeakerTurn(0, 4, "speaker00")], "pyannote": []}
    plot_conversation(path, "a $_{$ b", tone(500, seconds), opinions, [(0.5, 4)], longest_seconds=10)
    full = read_image(path).shape
    assert full[1] == bare[1] > 1000
    assert full[0] > bare[0] > 300


def test_truth_is_found_by_key_with_or_without_its_suffix(tmp_path):
    write_turns(tmp_path / "voices/a.rttm", "a", TRUTH[:1])
    write_turns(tmp_path / "voices/b.wav.rttm", "b", TRUTH[1:2])
    assert true_turns(tmp_path, "voices/a.wav") == TRUTH[:1]
    assert true_turns(tmp_path, "voices/b.wav") == TRUTH[1:2]
    assert true_turns(tmp_path, "voices/c.wav") == []


def test_every_diarized_recording_is_drawn_once(tmp_path):
    import pyarrow as pa

    dataset, work = tmp_path / "dataset", tmp_path / "work"
    keys = ["voices/kept.wav", "voices/nobody.wav", "voices/gone.wav", "voices/unreadable.wav"]
    write_audio(dataset / keys[0], tone(300, 2))
    write_audio(dataset / keys[1], tone(300, 2))
    for key in keys[:3]:
        write_turns(work / f"voice/turns/{key}.rttm", key, TRUTH)
    rows = [
        {"key": key, "status": "done", "reason": "", "speakers": 1 if key != keys[3] else None}
        for key in keys
    ]
    rows[1]["reason"] = "no_keynote_speech"
    kept = [{"key": keys[0], "start_seconds": 0.0, "end_seconds": 1.0, "position_seconds": 0.0}]
    tables = {
        "manifest": pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA),
        "segments": pa.Table.from_pylist(kept, schema=SEGMENT_SCHEMA),
    }
    speech = Stage(
        name="voices", folder=work / "voice", parts=[keys], make_worker=lambda: lambda _: tables, settings={}
    )
    run_stage(speech, 1)
    settings = {"diarizer": {"name": "embedded"}}
    summary = run_stage(make_plot_stage(dataset, work, settings, None), 1)
    assert (summary.done, dict(summary.failures)) == (2, {"missing": 1})
    outputs = [row["output"] for row in read_parts(work / "voice/plots/manifest").to_pylist()]
    assert outputs == [f"voice/plots/{keys[0]}.png", f"voice/plots/{keys[1]}.png", ""]
    assert all((work / output).is_file() for output in outputs[:2])
    assert run_stage(make_plot_stage(dataset, work, settings, None), 1).reused == 3
    with pytest.raises(DatasetError, match="--truth-turns"):
        make_plot_stage(dataset, work, settings, tmp_path / "absent")
