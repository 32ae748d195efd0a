import numpy as np
import pytest
import soundfile

from src.core.errors import MediaError
from src.media.audio import read_audio, write_audio


def tone(rate_hz, seconds=0.5, frequency_hz=440.0):
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def test_what_is_written_is_read_back_to_half_a_step(tmp_path):
    samples = tone(16_000).astype(np.float32)
    write_audio(tmp_path / "a.wav", samples)
    read = read_audio(tmp_path / "a.wav")
    assert read.dtype == np.float32
    assert np.abs(read - samples).max() <= 1 / 32768


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_any_rate_and_channel_count_becomes_mono_at_16_khz(tmp_path, rate_hz, suffix):
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, np.stack([tone(rate_hz), tone(rate_hz)], axis=1), rate_hz)
    read = read_audio(path)
    assert abs(len(read) - 8_000) <= 1
    spectrum = np.abs(np.fft.rfft(read))
    assert spectrum.argmax() * 16_000 / len(read) == pytest.approx(440, abs=3)


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1), 16_000)
    assert read_audio(tmp_path / "a.wav") == pytest.approx(0.125, abs=1e-4)


def bad_file(path, kind):
    if kind == "unreadable_audio":
        path.write_bytes(b"")
    elif kind == "empty_audio":
        soundfile.write(path, np.zeros(0), 16_000)
    elif kind == "odd_sample_rate":
        soundfile.write(path, np.zeros(10), 1)
    elif kind == "not_finite":
        soundfile.write(path, np.array([0.1, np.nan]), 16_000, subtype="FLOAT")


@pytest.mark.parametrize(
    "kind", ["missing", "unreadable_audio", "empty_audio", "odd_sample_rate", "not_finite"]
)
def test_bad_files_have_a_reason(tmp_path, kind):
    path = tmp_path / "bad.wav"
    bad_file(path, kind)
    with pytest.raises(MediaError, match=r"bad\.wav") as caught:
        read_audio(path)
    assert caught.value.reason == kind


def test_a_text_file_named_wav_is_refused(tmp_path):
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(MediaError) as caught:
        read_audio(tmp_path / "a.wav")
    assert caught.value.reason == "unreadable_audio"
