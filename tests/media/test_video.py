from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from src.core.errors import MediaError
from src.media import video
from src.media.audio import read_audio, write_audio
from src.media.video import probe_video, read_frames
from tests.media.video_files import frame_number, write_video

REAL_VIDEO = Path(__file__).resolve().parents[3] / "shared/data/video/short_hamilton_clip.mp4"
CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.mov", "libx264"),
    ("a.webm", "libvpx-vp9"),
    ("a.avi", "mpeg4"),
]


def numbers(path, times):
    """Frame numbers, or reasons, at times."""
    return [
        picture.reason if isinstance(picture, MediaError) else round(frame_number(picture))
        for _, picture in read_frames(path, times)
    ]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
@pytest.mark.parametrize("gop", [3, 250])
def test_each_time_gets_the_frame_that_is_shown_then(tmp_path, name, codec, gop):
    write_video(tmp_path / name, codec, gop=gop)
    times = [number / 10 for number in range(40)]
    assert numbers(tmp_path / name, times) == pytest.approx(range(40), abs=0 if name != "a.avi" else 1)
    assert numbers(tmp_path / name, [0.55, 0.59, 2.0, 3.95]) == pytest.approx([5, 5, 20, 39], abs=1)


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
@pytest.mark.parametrize("gop", [10, 250])
def test_far_apart_times_may_get_a_slightly_older_frame(tmp_path, name, codec, gop):
    write_video(tmp_path / name, codec, gop=gop)
    assert all(
        10 * seconds - 3 <= number <= 10 * seconds
        for seconds, number in enumerate(numbers(tmp_path / name, [0, 1, 2, 3]))
    )


def test_what_no_time_needs_is_not_decoded(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4", gop=5, frames=45)
    decoded = []
    original = video._FrameReader._decode
    monkeypatch.setattr(
        video._FrameReader, "_decode", lambda self, packet: decoded.append(packet) or original(self, packet)
    )
    assert numbers(tmp_path / "a.mp4", [0.0, 2.0, 4.0]) == pytest.approx([0, 20, 40], abs=5)
    assert sum(packet is not None for packet in decoded) == 3  # each a key frame


def test_a_file_is_decoded_no_further_than_it_is_read(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4")
    opened = []
    original = video.open_container
    monkeypatch.setattr(video, "open_container", lambda path: opened.append(path) or original(path))
    frames = read_frames(tmp_path / "a.mp4", range(4))
    assert opened == []
    assert next(frames)[0] == 0
    frames.close()
    assert len(opened) == 1


def test_times_after_the_end_have_a_reason(tmp_path):
    write_video(tmp_path / "a.mp4")
    assert numbers(tmp_path / "a.mp4", [3.9, 4.5, 9.0, 10.0]) == [39, 39, *["unreadable_video"] * 2]


def test_a_file_cut_off_on_the_way_gives_what_is_there(tmp_path):
    write_video(tmp_path / "a.mkv", "mpeg4", gop=5)
    content = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(content[: len(content) // 2])
    found = numbers(tmp_path / "a.mkv", [0, 1, 2, 3])
    assert found[0] == 0
    assert found[-1] == "unreadable_video"


def test_damage_within_is_passed_over(tmp_path):
    write_video(tmp_path / "a.avi", "mpeg4", gop=5, frames=45)
    content = bytearray((tmp_path / "a.avi").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    (tmp_path / "a.avi").write_bytes(content)
    found = numbers(tmp_path / "a.avi", range(5))
    assert (found[0], found[-1]) == (0, 40)


@pytest.mark.parametrize(("rotation", "corner"), [(90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1))])
def test_frames_are_turned_upright(tmp_path, rotation, corner):
    write_video(tmp_path / "a.mp4", rotation=rotation)  # counterclockwise; the upper left quarter is darker
    ((_, pixels),) = read_frames(tmp_path / "a.mp4", [1.0])
    assert pixels.shape == ((48, 64, 3) if rotation == 180 else (64, 48, 3))
    corners = {(row, column): pixels[row, column].mean() for row in (0, -1) for column in (0, -1)}
    assert min(corners, key=corners.get) == corner


def test_frames_have_square_pixels(tmp_path):
    write_video(tmp_path / "a.mp4", aspect=Fraction(2, 1))
    ((_, pixels),) = read_frames(tmp_path / "a.mp4", [0.0])
    assert pixels.shape == (48, 128, 3)


def test_the_header_tells_duration_and_sound(tmp_path):
    write_video(tmp_path / "a.mp4", sound=True)
    write_video(tmp_path / "b.mkv")
    assert probe_video(tmp_path / "a.mp4").has_sound
    assert not probe_video(tmp_path / "b.mkv").has_sound
    for name in ("a.mp4", "b.mkv"):
        assert probe_video(tmp_path / name).duration_seconds == pytest.approx(4, abs=0.05)
    assert len(read_audio(tmp_path / "a.mp4")) / 16_000 == pytest.approx(4, abs=0.1)


def test_a_file_without_a_duration_is_passed_over_for_it(tmp_path):
    with av.open(tmp_path / "a.webm", "w", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width = stream.height = 32
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    with av.open(tmp_path / "a.webm") as container:
        assert container.duration is None
    assert probe_video(tmp_path / "a.webm").duration_seconds == pytest.approx(2.9, abs=0.11)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("lost.mp4", None, "missing"),
        ("zero.mp4", b"", "unreadable_video"),
        ("page.webm", b"<html></html>" * 50, "unreadable_video"),
        ("list.mp4", b"#EXTM3U\nfile:///etc/hostname\n", "unreadable_video"),
        ("noise.mkv", np.random.default_rng(0).bytes(9_000), "unreadable_video"),
        ("sound.mp4", "sound", "no_video"),
        ("half.mp4", "half", "unreadable_video"),
    ],
)
def test_what_holds_no_pictures_has_a_reason(tmp_path, capfd, name, content, reason):
    path = tmp_path / name
    if content == "sound":
        write_audio(path, np.zeros(16_000))
    elif content == "half":
        write_video(path)  # its index stands at the end
        path.write_bytes(path.read_bytes()[:2_000])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=name) as caught:
        probe_video(path)
    assert caught.value.reason == reason
    assert numbers(path, [0, 1]) == [reason, reason]
    assert capfd.readouterr().err == ""


def test_frames_that_declare_too_many_pixels_are_refused(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4")
    monkeypatch.setattr(video, "LARGEST_FRAME_PIXELS", 3_000)
    assert numbers(tmp_path / "a.mp4", [0]) == ["too_large"]


def test_a_real_video_is_read():
    if not REAL_VIDEO.is_file():
        pytest.skip("../shared/data/video is absent")
    information = probe_video(REAL_VIDEO)
    assert information.has_sound
    assert information.duration_seconds == pytest.approx(10.0, abs=0.1)
    pictures = [picture for _, picture in read_frames(REAL_VIDEO, range(10))]
    assert {picture.shape for picture in pictures} == {(360, 640, 3)}
    assert min(picture.std() for picture in pictures) > 10
