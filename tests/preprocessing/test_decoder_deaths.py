"""A photograph or recording that kills its decoder is one row of its stage, and the others are processed."""

import numpy as np
import pytest

from preprocessing.pictures import read_pictures
from preprocessing.plot_stage import PlotRecord, PlotWorker
from src.artifacts.sources import SourceRecord, frame_key
from src.core.errors import MediaError
from src.media import decoder_process
from src.media.audio import write_audio
from src.media.image import write_jpeg
from tests.media import faulty_decoder
from tests.media.video_files import write_video


@pytest.fixture(autouse=True)
def faulty(monkeypatch):
    processes = decoder_process._IdleProcesses()
    monkeypatch.setattr(decoder_process, "_processes", processes)
    monkeypatch.setattr(decoder_process, "_PROGRAM", faulty_decoder.PROGRAM)
    yield
    processes.end_all()


def record(key, time_seconds=None):
    return SourceRecord(
        key=key if time_seconds is None else frame_key(key, time_seconds),
        modality="face",
        identity="",
        language="",
        video="",
        split="test",
        size_bytes=1,
        time_seconds=time_seconds,
    )


def test_photographs_and_frames(tmp_path):
    for name in ("a.jpg", "segfault.jpg", "z.jpg"):
        write_jpeg(tmp_path / name, np.zeros((20, 30, 3), np.uint8))
    write_video(tmp_path / "segfault.mp4")
    records = [
        record("a.jpg"),
        record("segfault.jpg"),
        record("segfault.mp4", 0.5),
        record("segfault.mp4", 1.5),
        record("z.jpg"),
    ]
    read = list(read_pictures(tmp_path, records, 1000))
    assert [one for one, _ in read] == records
    reasons = [picture.reason if isinstance(picture, MediaError) else "" for _, picture in read]
    assert reasons == ["", "decoder_crashed", "", "decoder_crashed", ""]


def test_recordings(tmp_path):
    write_audio(tmp_path / "abort.wav", np.zeros(100, np.float32))
    worker = PlotWorker(dataset=tmp_path, work=tmp_path, diarizer="any", truth=None)
    manifest = worker([PlotRecord("abort.wav", "", ())])["manifest"]
    assert manifest["reason"].to_pylist() == ["decoder_crashed"]
