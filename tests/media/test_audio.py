import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr

from src.core.errors import MediaError
from src.media import audio
from src.media.audio import read_audio, write_audio

REAL_VIDEO = Path(__file__).resolve().parents[3] / "shared/data/video/short_hamilton_clip.mp4"


def tone(rate_hz, seconds=0.5, frequency_hz=440.0):
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def strongest_hz(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * 16_000 / len(samples)


def encode(path, codec, samples, rate_hz, *, with_video=False):
    """Write stereo sound, or a video with or without it, by FFmpeg."""
    with av.open(path, "w") as container:
        sound = container.add_stream(codec, rate=rate_hz, layout="stereo") if codec else None
        if with_video:
            video = container.add_stream("mpeg4", rate=25)
            video.width = video.height = 32
            for _ in range(5):
                container.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
            container.mux(video.encode())
        if sound:
            data = np.ascontiguousarray(np.stack([samples, samples]).astype(np.float32))
            frame = av.AudioFrame.from_ndarray(data, format="fltp", layout="stereo")
            frame.sample_rate = rate_hz
            for converted in av.AudioResampler(sound.format, "stereo", rate_hz).resample(frame):
                container.mux(sound.encode(converted))
            container.mux(sound.encode())


def wav_header(rate_hz, channels, data):
    """A 16-bit WAV file with any header that one likes."""
    frame_bytes = 2 * channels
    layout = struct.pack("<IHHIIHH", 16, 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 16)
    chunks = b"WAVEfmt " + layout + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def reason_of(path):
    with pytest.raises(MediaError, match=path.name) as caught:
        read_audio(path)
    return caught.value.reason


def test_what_is_written_is_read_back_to_half_a_step(tmp_path):
    samples = tone(16_000, seconds=10).astype(np.float32)
    write_audio(tmp_path / "a.wav", samples)
    read = read_audio(tmp_path / "a.wav")
    assert read.dtype == np.float32
    assert np.abs(read - samples).max() <= 1 / 32768


def test_what_is_too_loud_is_clipped(tmp_path):
    write_audio(tmp_path / "a.wav", np.array([2, -2, 0], np.float32))
    assert read_audio(tmp_path / "a.wav") == pytest.approx([1, -1, 0], abs=1e-4)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_any_rate_and_channel_count_becomes_mono_at_16_khz(tmp_path, rate_hz, suffix):
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, np.stack([tone(rate_hz), tone(rate_hz)], axis=1), rate_hz)
    read = read_audio(path)
    assert abs(len(read) - 8_000) <= 1
    assert strongest_hz(read) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_any_sample_format_is_full_scale_1(tmp_path, subtype):
    samples = tone(16_000)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype=subtype)
    assert np.abs(read_audio(tmp_path / "a.wav") - samples).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 44_100),
        ("a.opus", "libopus", 48_000),
        ("a.m4a", "alac", 44_100),
    ],
)
def test_compressed_sound_is_read(tmp_path, name, codec, rate_hz):
    encode(tmp_path / name, codec, tone(rate_hz, seconds=1), rate_hz)
    read = read_audio(tmp_path / name)
    assert abs(len(read) - 16_000) < 2_000  # encoders pad
    assert strongest_hz(read) == pytest.approx(440, abs=3)
    assert np.abs(read[4_000:12_000]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [("a.mp4", "aac", 44_100), ("a.mkv", "libopus", 48_000), ("a.webm", "libopus", 48_000)],
)
def test_the_sound_of_a_video_is_read(tmp_path, name, codec, rate_hz):
    encode(tmp_path / name, codec, tone(rate_hz, seconds=1), rate_hz, with_video=name != "a.webm")
    assert strongest_hz(read_audio(tmp_path / name)) == pytest.approx(440, abs=3)


def test_a_real_video_is_read():
    if not REAL_VIDEO.is_file():
        pytest.skip("../shared/data/video is absent")
    samples = read_audio(REAL_VIDEO)
    assert len(samples) / 16_000 == pytest.approx(10.0, abs=0.05)
    assert samples.std() > 0.01


def test_a_video_without_sound_has_a_reason(tmp_path):
    encode(tmp_path / "a.mp4", None, None, 0, with_video=True)
    assert reason_of(tmp_path / "a.mp4") == "no_sound"


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_block_by_block_is_the_same_as_at_once(tmp_path, rate_hz, monkeypatch):
    noise = np.random.default_rng(0).normal(scale=0.1, size=(rate_hz * 3, 2))
    soundfile.write(tmp_path / "a.wav", noise, rate_hz, subtype="FLOAT")
    at_once = soxr.resample(noise.mean(axis=1).astype(np.float32), rate_hz, 16_000)
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", 1_000)
    monkeypatch.setattr(audio, "_FIRST_CAPACITY_SECONDS", 1)
    read = read_audio(tmp_path / "a.wav")
    assert read.shape == at_once.shape
    assert np.abs(read - at_once).max() < 1e-5


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1), 16_000)
    assert read_audio(tmp_path / "a.wav") == pytest.approx(0.125, abs=1e-4)


def test_32_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(np.linspace(-0.5, 0.25, 32), (100, 1)), 16_000)
    assert read_audio(tmp_path / "a.wav") == pytest.approx(-0.125, abs=1e-4)


@pytest.mark.parametrize("constant", [0.0, 0.25])
@pytest.mark.parametrize("sample_count", [1, 160])
def test_short_and_constant_sound_is_decodable(tmp_path, constant, sample_count):
    soundfile.write(tmp_path / "a.wav", np.full(sample_count, constant), 16_000)
    assert read_audio(tmp_path / "a.wav") == pytest.approx(np.full(sample_count, constant))


def bad_file(path, kind):
    noise = np.random.default_rng(0)
    if kind == "zero bytes":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("hello\n" * 1_000)
    elif kind == "playlist":
        path.write_text(f"#EXTM3U\n{path}\n")
    elif kind == "random bytes":
        path.write_bytes(noise.bytes(20_000))
    elif kind.startswith("truncated"):
        soundfile.write(path, tone(16_000), 16_000)
        path.write_bytes(path.read_bytes()[: int(kind.split()[-1])])
    elif kind.startswith("rate"):
        path.write_bytes(wav_header(int(kind.split()[-1]), 1, noise.bytes(2_000)))
    elif kind == "no channel":
        path.write_bytes(wav_header(16_000, 0, noise.bytes(2_000)))
    elif kind == "no sample":
        soundfile.write(path, np.zeros(0), 16_000)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("bad.wav", "missing", "missing"),
        ("bad.wav", "zero bytes", "unreadable_audio"),
        ("bad.mp4", "zero bytes", "unreadable_audio"),
        ("bad.wav", "truncated 20", "unreadable_audio"),
        ("bad.wav", "truncated 40", "unreadable_audio"),
        ("bad.flac", "truncated 30", "unreadable_audio"),
        ("bad.flac", "truncated 3000", "unreadable_audio"),
        ("bad.mp3", "truncated 50", "unreadable_audio"),
        ("bad.wav", "text", "unreadable_audio"),
        ("bad.mp3", "text", "unreadable_audio"),
        ("bad.m4a", "text", "unreadable_audio"),
        ("bad.wav", "playlist", "unreadable_audio"),
        ("bad.mp3", "random bytes", "unreadable_audio"),
        ("bad.ogg", "random bytes", "unreadable_audio"),
        ("bad.wav", "rate 0", "unreadable_audio"),
        ("bad.wav", "rate 1", "odd_sample_rate"),
        ("bad.wav", "no channel", "unreadable_audio"),
        ("bad.wav", "no sample", "empty_audio"),
    ],
)
def test_bad_files_have_a_reason_and_print_nothing(tmp_path, capfd, name, kind, reason):
    path = tmp_path / name
    bad_file(path, kind)
    assert reason_of(path) == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("place", [0, 500, 999])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_samples_without_a_meaning_have_a_reason(tmp_path, value, place, rate_hz):
    samples = np.full((1_000, 2), 0.1)
    samples[place, 0] = value
    soundfile.write(tmp_path / "a.wav", samples, rate_hz, subtype="FLOAT")
    assert reason_of(tmp_path / "a.wav") == "not_finite"


def test_a_truncated_video_has_a_reason(tmp_path):
    encode(tmp_path / "a.mp4", "aac", tone(44_100), 44_100)
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:2_000])
    assert reason_of(tmp_path / "a.mp4") == "unreadable_audio"


def test_half_precision_is_read_and_written(tmp_path):
    write_audio(tmp_path / "single.wav", tone(16_000).astype(np.float32))
    halves = read_audio(tmp_path / "single.wav", dtype=np.float16)
    assert halves.dtype == np.float16
    write_audio(tmp_path / "half.wav", halves)
    assert np.abs(read_audio(tmp_path / "half.wav") - tone(16_000)).max() < 1e-3
