"""What people have on their disks, through the whole stage with its real networks: rows with reasons, and the rest goes on."""

import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocessing.speech_settings import SpeechSettings
from preprocessing.speech_stage import make_speech_worker
from src.artifacts.sources import SourceRecord
from src.core.stage import Stage, read_parts, run_stage
from src.media.audio import read_audio

RATE_HZ = 16000
pytestmark = pytest.mark.usefixtures("one_thread")
SHARED = Path(__file__).resolve().parents[2].parent / "shared/data"
needs_real_speech = pytest.mark.skipif(not SHARED.is_dir(), reason="no real recordings beside the repository")


def run(dataset, work, keys):
    """Rows by key, each recording standing alone."""
    records = [
        SourceRecord(
            key=key, modality="voice", identity="", language="", video="", split="test", size_bytes=1
        )
        for key in keys
    ]
    make = partial(make_speech_worker, SpeechSettings(), dataset, work, "ecapa-compact", None, "cpu")
    run_stage(Stage(name="voices", folder=work / "voice", parts=[records], make_worker=make, settings={}), 1)
    rows = {row["key"]: row for row in read_parts(work / "voice/manifest").to_pylist()}
    assert sorted(rows) == sorted(keys)
    for row in rows.values():
        assert (row["status"] == "failed") == bool(row["reason"]) == (row["output"] == "")
        assert not row["output"] or (work / row["output"]).is_file()
    return rows


def wav_bytes(rate_hz, samples=RATE_HZ, channels=1):
    """A 16-bit WAV file of quiet noise whose header claims `rate_hz`."""
    content = np.random.default_rng(0).integers(-300, 300, samples * channels, np.int16).tobytes()
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(content), b"WAVE", b"fmt ", 16, 1, channels, rate_hz, rate_hz * 2 * channels),
        *(2 * channels, 16, b"data", len(content)),
    )
    return header + content


def noise(seconds=3.0, level=0.05):
    return (level * np.random.default_rng(1).normal(size=round(seconds * RATE_HZ))).astype(np.float32)


def with_one(value):
    samples = noise()
    samples[20000] = value
    return samples


def music(seconds=8.0):
    """Chords of decaying harmonic tones, one every 0.8 s."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    samples = np.zeros(len(time))
    for number, chord in enumerate([(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)] * 3):
        since = time - 0.8 * number
        shape = np.where((since >= 0) & (since < 0.8), np.exp(-3 * np.maximum(since, 0)), 0)
        for tone_hz in chord:
            for harmonic in range(1, 8):
                samples += shape * np.sin(2 * np.pi * tone_hz * harmonic * since) / harmonic**2
    return (0.05 * samples).astype(np.float32)


BAD = {
    "zero_bytes.wav": (b"", "unreadable_audio"),
    "truncated_header.wav": (wav_bytes(RATE_HZ)[:20], "unreadable_audio"),
    "text.wav": (b"this is no sound, whatever its name says\n" * 20, "unreadable_audio"),
    "all_zeros.wav": (np.zeros(3 * RATE_HZ, np.float32), "no_speech"),
    "constant.wav": (np.full(3 * RATE_HZ, 0.5, np.float32), "no_speech"),
    "not_a_number.wav": (with_one(np.nan), "not_finite"),
    "infinity.wav": (with_one(np.inf), "not_finite"),
    "10_milliseconds.wav": (noise(0.01), "too_short"),
    "1_hz.wav": (wav_bytes(1), "odd_sample_rate"),
    "0_hz.wav": (wav_bytes(0), "unreadable_audio"),
    "noise_in_32_channels.wav": (wav_bytes(RATE_HZ, channels=32), "no_speech"),
    "only_noise.wav": (noise(6), "no_speech"),
    "only_music.wav": (music(), "no_speech"),
}


def write(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        soundfile.write(path, content, RATE_HZ, subtype="FLOAT")


def test_bad_recordings_become_rows_with_reasons(tmp_path):
    for name, (content, _) in BAD.items():
        write(tmp_path / name, content)
    rows = run(tmp_path, tmp_path / "work", list(BAD))
    assert {name: row["reason"] for name, row in rows.items()} == {
        name: reason for name, (_, reason) in BAD.items()
    }


@needs_real_speech
def test_the_rest_goes_on_and_everybody_at_once_is_one_row(tmp_path):
    speakers = sorted(path for path in (SHARED / "librispeech/test").iterdir() if path.is_dir())[:4]
    voices = [read_audio(sorted(speaker.rglob("*.flac"))[0])[: 6 * RATE_HZ] for speaker in speakers]
    length = min(map(len, voices))
    write(tmp_path / "everybody_at_once.wav", np.sum([voice[:length] for voice in voices], axis=0) / 4)
    write(tmp_path / "text.wav", b"this is no sound")
    write(tmp_path / "one_voice.wav", voices[0])
    soundfile.write(tmp_path / "voice_in_32_channels.wav", np.tile(voices[0][:, None], 32), RATE_HZ)
    names = ["text.wav", "everybody_at_once.wav", "one_voice.wav", "voice_in_32_channels.wav"]
    rows = run(tmp_path, tmp_path / "work", names)
    assert rows["one_voice.wav"]["reason"] == rows["voice_in_32_channels.wav"]["reason"] == ""
    assert rows["everybody_at_once.wav"]["reason"] in {"", "no_keynote_speech"}
