"""The guard: same results as without it, and whatever a file does to its decoder is the failure of that file."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from src.core.errors import MediaError
from src.media import audio, decoder_process, decoder_server, guarded, image, video
from src.media.audio import write_audio
from src.media.decoder_process import DecoderLimits
from src.media.image import write_jpeg
from tests.media import faulty_decoder
from tests.media.video_files import write_video
from tests.test_import_law import ROOT, imported_modules

NOISE = np.random.default_rng(0)
PIXELS = NOISE.integers(0, 255, (60, 80, 3), np.uint8)


@pytest.fixture
def own_processes(monkeypatch):
    """Decoding processes of this test alone, which end with it."""
    processes = decoder_process._IdleProcesses()
    monkeypatch.setattr(decoder_process, "_processes", processes)
    yield processes
    processes.end_all()


@pytest.fixture
def faulty(monkeypatch, own_processes):
    monkeypatch.setattr(decoder_process, "_PROGRAM", faulty_decoder.PROGRAM)
    monkeypatch.setattr(decoder_process, "LIMITS", DecoderLimits(processor_seconds=1, memory_bytes=1 << 30))


def reason_of(read, path):
    with pytest.raises(MediaError, match=path.name) as caught:
        read(path)
    return caught.value.reason


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_sound_is_the_same_to_the_bit(tmp_path, rate_hz, dtype):
    """160 seconds, which the shared memory does not hold at once."""
    soundfile.write(tmp_path / "a.flac", NOISE.normal(scale=0.1, size=(160 * rate_hz, 1)), rate_hz)
    expected = audio.read_audio(tmp_path / "a.flac", dtype=dtype)
    read = guarded.read_audio(tmp_path / "a.flac", dtype=dtype)
    assert expected.nbytes * 4 // np.dtype(dtype).itemsize > decoder_server.BUFFER_BYTES
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("size", [(60, 80, 3), (1700, 2000, 3)])
@pytest.mark.parametrize("longest_side_pixels", [None, 500])
def test_images_are_the_same_to_the_bit(tmp_path, size, longest_side_pixels):
    write_jpeg(tmp_path / "a.jpg", NOISE.integers(0, 255, size, np.uint8))
    expected = image.decode_image(tmp_path / "a.jpg", longest_side_pixels)
    read = guarded.decode_image(tmp_path / "a.jpg", longest_side_pixels)
    np.testing.assert_array_equal(read.pixels, expected.pixels)
    assert read.scale == expected.scale
    np.testing.assert_array_equal(
        guarded.read_image(tmp_path / "a.jpg"), image.read_image(tmp_path / "a.jpg")
    )


def test_videos_are_the_same_to_the_bit(tmp_path):
    write_video(tmp_path / "a.mp4", sound=True)
    assert guarded.probe_video(tmp_path / "a.mp4") == video.probe_video(tmp_path / "a.mp4")
    times = [0.0, 0.5, 3.9, 99.0]
    expected, read = (list(module.read_frames(tmp_path / "a.mp4", times)) for module in (video, guarded))
    assert [seconds for seconds, _ in read] == times
    for (_, wanted), (_, found) in zip(expected[:3], read[:3], strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert read[3][1].reason == expected[3][1].reason == "unreadable_video"
    assert str(tmp_path / "a.mp4") in str(read[3][1])


def test_reasons_are_the_same(tmp_path, monkeypatch):
    (tmp_path / "text.wav").write_text("hello\n" * 100)
    (tmp_path / "text.jpg").write_text("hello\n" * 100)
    assert reason_of(guarded.read_audio, tmp_path / "text.wav") == "unreadable_audio"
    assert reason_of(guarded.read_image, tmp_path / "text.jpg") == "unreadable_image"
    assert reason_of(guarded.probe_video, tmp_path / "lost.mp4") == "missing"
    assert [error.reason for _, error in guarded.read_frames(tmp_path / "lost.mp4", [0, 1])] == [
        "missing"
    ] * 2
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    assert reason_of(guarded.read_audio, tmp_path / "nan.wav") == "not_finite"
    monkeypatch.chdir(tmp_path)
    write_jpeg(tmp_path / "relative.jpg", PIXELS)
    assert guarded.read_image((tmp_path / "relative.jpg").relative_to(tmp_path)).shape == PIXELS.shape


def test_one_process_serves_file_after_file(tmp_path, own_processes):
    write_jpeg(tmp_path / "a.jpg", PIXELS)
    (tmp_path / "b.jpg").write_text("no image")
    write_video(tmp_path / "c.mp4")
    for _ in range(3):
        guarded.read_image(tmp_path / "a.jpg")
        assert reason_of(guarded.read_image, tmp_path / "b.jpg") == "unreadable_image"
        frames = guarded.read_frames(tmp_path / "c.mp4", [0.0, 1.0, 2.0])
        next(frames)
        frames.close()
        (process,) = own_processes._idle
        assert process is not None
    assert len({id(process) for process in own_processes._idle}) == 1


def test_two_videos_are_read_side_by_side(tmp_path):
    write_video(tmp_path / "a.mp4")
    pairs = zip(
        guarded.read_frames(tmp_path / "a.mp4", [0.0, 1.0, 2.0]),
        guarded.read_frames(tmp_path / "a.mp4", [0.0, 1.0, 2.0]),
        strict=True,
    )
    for (_, one), (_, other) in pairs:
        np.testing.assert_array_equal(one, other)


def test_threads_do_not_mix_their_files(tmp_path):
    for number in range(8):
        write_audio(tmp_path / f"{number}.wav", np.full(1000 + number, number / 10, np.float32))
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda number: guarded.read_audio(tmp_path / f"{number % 8}.wav"), range(64)))
    for number, samples in enumerate(read):
        assert len(samples) == 1000 + number % 8
        assert samples == pytest.approx(number % 8 / 10, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("segfault", "decoder_crashed"),
        ("abort", "decoder_crashed"),
        ("stumble", "decoder_crashed"),
        ("endless", "decoder_timeout"),
        ("memory", "decoder_memory"),
    ],
)
def test_the_death_of_a_decoder_is_the_failure_of_one_file(tmp_path, faulty, name, reason):
    for kind in (name, "good"):
        write_audio(tmp_path / f"{kind}.wav", np.zeros(100, np.float32))
        write_jpeg(tmp_path / f"{kind}.jpg", PIXELS)
    assert reason_of(guarded.read_image, tmp_path / f"{name}.jpg") == reason
    assert guarded.read_image(tmp_path / "good.jpg").shape == PIXELS.shape
    if reason != "decoder_timeout":  # which takes a second each time
        assert reason_of(guarded.read_audio, tmp_path / f"{name}.wav") == reason
        assert len(guarded.read_audio(tmp_path / "good.wav")) == 100


def test_a_file_whose_decoder_was_killed_is_tried_once_more(tmp_path, faulty):
    write_jpeg(tmp_path / "once.jpg", PIXELS)
    assert guarded.read_image(tmp_path / "once.jpg").shape == PIXELS.shape
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("segfault", "decoder_crashed"), ("endless", "decoder_timeout"), ("once", "")]
)
def test_frames_before_a_death_are_kept(tmp_path, faulty, name, reason):
    write_video(tmp_path / f"{name}.mp4")
    read = list(guarded.read_frames(tmp_path / f"{name}.mp4", [0.0, 0.5, 1.5, 2.5]))
    assert [seconds for seconds, _ in read] == [0.0, 0.5, 1.5, 2.5]
    assert [getattr(frame, "reason", "") for _, frame in read] == ["", "", reason, reason]


def test_a_decoder_that_does_not_answer_is_given_up(tmp_path, monkeypatch, faulty):
    monkeypatch.setattr(decoder_process, "LIMITS", DecoderLimits(processor_seconds=99, waiting_seconds=1))
    write_jpeg(tmp_path / "endless.jpg", PIXELS)
    assert reason_of(guarded.read_image, tmp_path / "endless.jpg") == "decoder_timeout"


def test_a_decoder_writes_no_file_and_knows_no_token(tmp_path, monkeypatch, faulty):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    write_jpeg(tmp_path / "writes.jpg", PIXELS)
    assert reason_of(guarded.read_image, tmp_path / "writes.jpg") == "decoder_crashed"
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_text()
    write_jpeg(tmp_path / "token.jpg", PIXELS)
    assert guarded.read_image(tmp_path / "token.jpg").shape == PIXELS.shape


def test_memory_that_a_real_decoder_lacks_has_a_reason(tmp_path, monkeypatch, own_processes):
    monkeypatch.setattr(decoder_process, "LIMITS", DecoderLimits(memory_bytes=300 << 20))
    write_jpeg(tmp_path / "a.jpg", np.zeros((10_000, 11_000, 3), np.uint8))
    assert reason_of(guarded.read_image, tmp_path / "a.jpg") == "decoder_memory"


def test_decoders_end_with_the_process_that_asked(tmp_path):
    write_jpeg(tmp_path / "a.jpg", PIXELS)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_tell_decoder, args=(tmp_path / "a.jpg", queue))
    process.start()
    decoder = queue.get(timeout=60)
    process.kill()
    process.join()
    for _ in range(500):
        try:
            os.kill(decoder, 0)
        except ProcessLookupError:
            return
        threading.Event().wait(0.01)
    pytest.fail("the decoder still runs")


def _tell_decoder(path, queue):
    guarded.read_image(path)
    queue.put(decoder_process._processes._idle[0]._process.pid)
    threading.Event().wait()


@pytest.mark.parametrize("folder", ["preprocessing", "features", "src/data", "src/scoring", "src/training"])
def test_stages_decode_under_guard(folder):
    unguarded = {
        f"src.media.{module.__name__.rpartition('.')[2]}.{name}"
        for module in (audio, image, video)
        for name in ("read_audio", "mono_blocks", "read_image", "decode_image", "read_frames", "probe_video")
    }
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        assert not imported_modules(path) & unguarded, f"{path}: import it from src.media.guarded"
