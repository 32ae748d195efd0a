"""The speech stage with tones for voices: the frequency of a tone is who speaks."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from preprocessing import embedded_diarizer, speech_stage
from preprocessing.embedded_diarizer import EmbeddedDiarizer
from preprocessing.speech_settings import CleaningSettings, ResegmentationSettings, SpeechSettings
from preprocessing.speech_stage import SpeechWorker, make_speech_worker
from src.artifacts.sources import SourceRecord
from src.artifacts.turns import read_turns
from src.core.stage import Stage, run_stage
from src.media.audio import read_audio, write_audio
from src.media.frames import FRAME_SAMPLES, frame_count

ANNA_HZ, BEN_HZ, CLARA_HZ = 300, 700, 1500
SHARED = Path(__file__).resolve().parents[2].parent / "shared/data"
needs_real_speech = pytest.mark.skipif(not SHARED.is_dir(), reason="no real recordings beside the repository")


def speak(*turns, seconds):
    """Tones in very little noise: turns of (frequency in Hz, start, end in seconds)."""
    samples = 1e-4 * np.random.default_rng(0).normal(size=round(seconds * 16000))
    time = np.arange(len(samples)) / 16000
    for frequency_hz, start, end in turns:
        spoken = slice(round(start * 16000), round(end * 16000))
        samples[spoken] += 0.1 * np.sin(2 * np.pi * frequency_hz * time[spoken])
    return samples.astype(np.float32)


def find_loud(recordings):
    masks = []
    for samples in recordings:
        padded = np.pad(samples, (0, frame_count(len(samples)) * FRAME_SAMPLES - len(samples)))
        masks.append(np.abs(padded.reshape(-1, FRAME_SAMPLES)).max(axis=1) > 0.01)
    return masks


def embed_spectrum(batch):
    spectra = torch.fft.rfft(batch).abs()
    bins = torch.tensor([ANNA_HZ, BEN_HZ, CLARA_HZ]) * batch.shape[1] // 16000
    return torch.stack([spectra[:, place - 3 : place + 4].sum(dim=1) for place in bins], dim=1)


def voice(key, split="train", **fields):
    video = "" if split == "test" else Path(key).parent.name
    identity = "" if split == "test" else "id0001"
    record = {
        "key": key,
        "identity": identity,
        "language": "English",
        "video": video,
        "split": split,
        **fields,
    }
    return SourceRecord(modality="voice", size_bytes=1, **record)


@pytest.fixture
def dataset(tmp_path):
    return tmp_path / "dataset"


@pytest.fixture
def process(tmp_path, dataset):
    def run(recordings, settings=None):
        """Recordings by key (None: no file; bytes: as they are) to rows by key, and segments by key."""
        for key, content in recordings.items():
            path = dataset / key
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content is not None:
                write_audio(path, content)
        records = [voice(key, "train" if key.count("/") > 2 else "test") for key in recordings]
        settings = settings or SpeechSettings()
        diarizer = EmbeddedDiarizer(settings.diarization, find_loud, embed_spectrum, None, {})
        worker = SpeechWorker(settings, dataset, tmp_path / "work", diarizer)
        tables = worker(records)
        rows = tables["manifest"].to_pylist()
        assert [row["key"] for row in rows] == list(recordings)
        segments = {key: [] for key in recordings}
        for row in tables["segments"].to_pylist():
            segments[row.pop("key")].append(row)
        return {row["key"]: row for row in rows}, segments

    return run


def loudest_hz(samples):
    return float(np.abs(np.fft.rfft(samples)).argmax() * 16000 / len(samples))


@pytest.mark.parametrize("long_seconds", [3600, 5])
def test_only_the_main_speaker_of_a_recording_is_kept(process, tmp_path, monkeypatch, long_seconds):
    monkeypatch.setattr(speech_stage, "_LONG_SECONDS", long_seconds)
    key = "voices/id0001/English/VID/00000.wav"
    conversation = speak((ANNA_HZ, 0.5, 4), (BEN_HZ, 4.5, 6.5), (ANNA_HZ, 7, 9), seconds=10)
    rows, segments = process({key: conversation})
    row = rows[key]
    assert (row["status"], row["reason"], row["speakers"]) == ("done", "", 2)
    assert row["output"] == f"voice/clean/{key}"
    assert row["duration_seconds"] == 10
    assert row["speech_seconds"] == pytest.approx(7.5, abs=0.05)
    assert row["kept_seconds"] == pytest.approx(5.5, abs=0.1)
    assert [(round(one["start_seconds"], 1), round(one["end_seconds"], 1)) for one in segments[key]] == [
        (0.5, 4.0),
        (7.0, 9.0),
    ]
    clean = read_audio(tmp_path / "work" / row["output"])
    assert len(clean) / 16000 == pytest.approx(row["kept_seconds"])
    assert loudest_hz(clean) == pytest.approx(ANNA_HZ, abs=1)
    position = round(segments[key][1]["position_seconds"] * 16000)
    assert loudest_hz(clean[position:]) == pytest.approx(ANNA_HZ, abs=1)
    turns = read_turns(tmp_path / f"work/voice/turns/{key}.rttm")
    assert [(turn.speaker, round(turn.start_seconds, 1)) for turn in turns] == [
        ("speaker00", 0.5),
        ("speaker01", 4.5),
        ("speaker00", 7.0),
    ]


def test_the_recordings_of_a_video_share_their_main_speaker(process):
    rows, segments = process(
        {
            "voices/id0001/English/VID/0.wav": speak((BEN_HZ, 1, 6), seconds=7),
            "voices/id0001/English/VID/1.wav": speak((ANNA_HZ, 1, 4), (BEN_HZ, 5, 7), seconds=8),
            "voices/id0001/English/VID/2.wav": speak((ANNA_HZ, 1, 4), seconds=5),
            "voices/id0001/English/OTHER/0.wav": speak((ANNA_HZ, 1, 4), (BEN_HZ, 5, 7), seconds=8),
        }
    )
    statuses = {key.split("English/")[1]: row["reason"] for key, row in rows.items()}
    assert statuses == {"VID/0.wav": "", "VID/1.wav": "", "VID/2.wav": "no_keynote_speech", "OTHER/0.wav": ""}
    starts = {
        key.split("English/")[1]: [one["start_seconds"] for one in rows_] for key, rows_ in segments.items()
    }
    assert starts["VID/1.wav"] == pytest.approx([5], abs=0.1)
    assert starts["OTHER/0.wav"] == pytest.approx([1], abs=0.1)


def test_test_media_stand_alone(process):
    rows, segments = process(
        {
            "voices/English/0.wav": speak((BEN_HZ, 1, 6), seconds=7),
            "voices/English/1.wav": speak((ANNA_HZ, 1, 4), (BEN_HZ, 5, 7), seconds=8),
        }
    )
    assert {row["status"] for row in rows.values()} == {"done"}
    assert segments["voices/English/1.wav"][0]["start_seconds"] == pytest.approx(1, abs=0.1)


def test_bad_input_is_a_row_with_a_reason_and_the_rest_goes_on(process, tmp_path):
    folder = "voices/id0001/English/VID"
    rows, segments = process(
        {
            f"{folder}/missing.wav": None,
            f"{folder}/zero.wav": b"",
            f"{folder}/text.wav": b"this is no sound",
            f"{folder}/cut.wav": b"RIFF\x00\x00",
            f"{folder}/no_sample.wav": np.zeros(0, np.float32),
            f"{folder}/short.wav": speak((ANNA_HZ, 0, 0.2), seconds=0.2),
            f"{folder}/silent.wav": np.zeros(32000, np.float32),
            f"{folder}/good.wav": speak((ANNA_HZ, 1, 4), seconds=5),
        }
    )
    assert {Path(key).stem: row["reason"] for key, row in rows.items()} == {
        "missing": "missing",
        "zero": "unreadable_audio",
        "text": "unreadable_audio",
        "cut": "unreadable_audio",
        "no_sample": "empty_audio",
        "short": "too_short",
        "silent": "no_speech",
        "good": "",
    }
    failed = [row for row in rows.values() if row["reason"]]
    assert all(
        row["status"] == "failed" and row["output"] == "" and not row["kept_seconds"] for row in failed
    )
    assert [key for key in segments if segments[key]] == [f"{folder}/good.wav"]
    assert [path.name for path in (tmp_path / "work/voice/clean").rglob("*.*")] == ["good.wav"]


def test_a_part_of_nothing_but_bad_input(process):
    rows, _ = process({"voices/English/0.wav": None, "voices/English/1.wav": np.zeros(16000, np.float32)})
    assert [row["reason"] for row in rows.values()] == ["missing", "no_speech"]


def test_blocks_change_nothing(process, monkeypatch):
    recordings = {
        f"voices/id0001/English/VID{number}/0.wav": speak((ANNA_HZ, 0.2, 2), (BEN_HZ, 2.5, 3.5), seconds=4)
        for number in range(4)
    }
    whole = process(recordings)
    monkeypatch.setattr(speech_stage, "_BLOCK_SECONDS", 5)
    assert process(recordings) == whole


def test_clean_files_have_the_asked_level(process, tmp_path):
    settings = SpeechSettings(cleaning=CleaningSettings(clean="none", level_db=-20))
    rows, _ = process({"voices/English/0.wav": 0.2 * speak((ANNA_HZ, 1, 4), seconds=5)}, settings)
    clean = read_audio(tmp_path / "work" / rows["voices/English/0.wav"]["output"])
    assert 20 * np.log10(np.sqrt(np.mean(clean**2))) == pytest.approx(-20, abs=0.1)


class SpectrumEncoder:
    embed = staticmethod(embed_spectrum)
    description = staticmethod(dict)


def test_the_stage_runs_with_the_shipped_voice_activity(dataset, tmp_path, monkeypatch):
    asked = []

    def load(*arguments):
        asked.append(arguments)
        return SpectrumEncoder

    monkeypatch.setattr(embedded_diarizer, "load_encoder", load)
    write_audio(dataset / "voices/English/0.wav", 0.05 * np.random.default_rng(0).normal(size=32000))
    make = partial(
        make_speech_worker, SpeechSettings(), dataset, tmp_path, "ecapa-compact", Path("weights"), "cpu"
    )
    pickle.dumps(make)
    records = [voice("voices/English/0.wav", "test"), voice("voices/English/1.wav", "test")]
    summary = run_stage(
        Stage(name="speech", folder=tmp_path / "voice", parts=[records], make_worker=make, settings={}),
        workers=1,
    )
    assert summary.failures == {"no_speech": 1, "missing": 1}
    assert asked == [("ecapa-compact", torch.device("cpu"), Path("weights"))]


@needs_real_speech
def test_real_speech_is_found_and_an_empty_room_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_diarizer, "load_encoder", lambda *arguments: SpectrumEncoder)
    settings = SpeechSettings(resegmentation=ResegmentationSettings(enabled=False))
    worker = make_speech_worker(settings, SHARED, tmp_path, "ecapa-compact", None, "cpu")
    utterance = sorted((SHARED / "librispeech/test").rglob("*.flac"))[0].relative_to(SHARED).as_posix()
    rows = worker([voice(utterance, "test"), voice("ami/empty.wav", "test")])["manifest"].to_pylist()
    assert rows[0]["speech_seconds"] > 0.6 * rows[0]["duration_seconds"]
    assert rows[1]["reason"] == "no_speech"
