"""What people have on their disks, through the whole stage with its real networks: rows with reasons, and the rest goes on."""

from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image

from preprocessing.face_settings import FaceSettings
from preprocessing.face_stage import make_face_worker
from src.artifacts.sources import SourceRecord, frame_key
from src.core.stage import Stage, read_parts, run_stage
from src.media.audio import write_audio
from src.media.image import read_image, write_jpeg
from tests.media.video_files import write_video

pytestmark = pytest.mark.usefixtures("one_thread")
BACKGROUND = 128


def record(key, time_seconds=None):
    """Test media, each standing alone."""
    return SourceRecord(
        key=key,
        modality="face",
        identity="",
        language="",
        video="",
        split="test",
        size_bytes=1,
        time_seconds=time_seconds,
    )


def run(dataset, work, records, settings=None):
    """Rows of the manifest, and lists of detections, by key."""
    make = partial(make_face_worker, settings or FaceSettings(), dataset, work, None, None, "cpu")
    run_stage(Stage(name="faces", folder=work / "face", parts=[records], make_worker=make, settings={}), 1)
    rows = {row["key"]: row for row in read_parts(work / "face/manifest").to_pylist()}
    assert list(rows) == [one.key for one in records]
    for row in rows.values():
        assert row["status"] == ("failed" if row["reason"] else "done")
        assert bool(row["output"]) != bool(row["reason"])
        assert not row["output"] or read_image(work / row["output"]).shape == (160, 160, 3)
    detections = {key: [] for key in rows}
    for detection in read_parts(work / "face/detections").to_pylist():
        detections[detection["key"]].append(detection)
    return rows, detections


def drawing(side=320):
    """A house, a tree and a sun, as a child draws them."""
    canvas = np.full((side, side, 3), 255, np.uint8)
    cv2.rectangle(canvas, (60, 160), (180, 280), (200, 120, 60), -1)
    cv2.fillPoly(canvas, [np.array([[50, 160], [120, 90], [190, 160]])], (170, 40, 40))
    cv2.rectangle(canvas, (105, 220), (135, 280), (90, 50, 20), -1)
    cv2.line(canvas, (250, 280), (250, 200), (110, 70, 30), 10)
    cv2.circle(canvas, (250, 170), 42, (60, 150, 60), -1)
    cv2.circle(canvas, (280, 45), 25, (250, 210, 60), -1)
    return canvas


def at_the_border(photograph, box):
    """A photograph cut so that a fifth of the face lies beyond its left edge."""
    return np.ascontiguousarray(photograph[:, max(0, round(box[0] + 0.2 * (box[2] - box[0]))) :])


def forty_faces(portraits):
    """Eight columns and five rows of portraits, 1280 × 800."""
    tiles = [cv2.resize(portraits[number % len(portraits)][0], (160, 160)) for number in range(40)]
    return np.concatenate([np.concatenate(tiles[first : first + 8], axis=1) for first in range(0, 40, 8)])


@pytest.fixture
def dataset(tmp_path, portraits):
    folder = tmp_path / "dataset"
    write_jpeg(folder / "good.jpg", portraits[0][0])
    content = (folder / "good.jpg").read_bytes()
    (folder / "zero_bytes.jpg").write_bytes(b"")
    (folder / "truncated.jpg").write_bytes(content[: len(content) * 2 // 3])
    (folder / "page.jpg").write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")
    write_jpeg(folder / "one_pixel.jpg", np.full((1, 1, 3), BACKGROUND, np.uint8))
    Image.new("1", (20_000, 6_001)).save(folder / "bomb.png")
    write_jpeg(folder / "nobody.jpg", np.full((200, 300, 3), BACKGROUND, np.uint8))
    write_jpeg(folder / "drawing.jpg", drawing())
    write_jpeg(folder / "border.jpg", at_the_border(*portraits[1]))
    write_jpeg(folder / "forty.jpg", forty_faces(portraits))
    return folder


EXPECTED = {
    "zero_bytes.jpg": "unreadable_image",
    "truncated.jpg": "truncated_image",
    "lost.jpg": "missing",
    "page.jpg": "unreadable_image",
    "one_pixel.jpg": "no_face",
    "bomb.png": "too_large",
    "nobody.jpg": "no_face",
    "drawing.jpg": "no_face",
    "border.jpg": "",
    "forty.jpg": "",
    "good.jpg": "",
}


def test_every_file_is_a_row_with_a_reason_or_a_crop(tmp_path, dataset, portraits):
    settings = FaceSettings(detection_side_pixels=1280)
    rows, detections = run(dataset, tmp_path / "work", [record(name) for name in EXPECTED], settings)
    assert {name: row["reason"] for name, row in rows.items()} == EXPECTED
    assert rows["page.jpg"]["face_count"] is None
    assert (rows["one_pixel.jpg"]["width_pixels"], rows["one_pixel.jpg"]["height_pixels"]) == (1, 1)
    assert 38 <= len(detections["forty.jpg"]) <= 42
    for detected in (detections["forty.jpg"], detections["border.jpg"]):
        assert sum(one["chosen"] for one in detected) == 1
    chosen = next(one for one in detections["border.jpg"] if one["chosen"])
    assert chosen["left"] < 0.15 * (chosen["right"] - chosen["left"])


def test_awkward_kinds_give_the_same_box_in_pixels_of_the_full_image(tmp_path, portraits):
    dataset, work = tmp_path / "dataset", tmp_path / "work"
    dataset.mkdir()
    image = Image.fromarray(portraits[0][0])
    names = {
        "plain.png": image,
        "alpha.png": image.convert("RGBA"),
        "cmyk.tiff": image.convert("CMYK"),
        "Bjørk 猫.webp": image,
        "n" * 251 + ".png": image,
        "large.jpg": image.resize((2048, 2048)),
    }
    for name, one in names.items():
        one.save(dataset / name)
    turned = Image.Exif()
    turned[0x0112] = 3
    image.rotate(180).save(dataset / "turned.png", exif=turned)
    settings = FaceSettings(detection_side_pixels=256, reading_side_pixels=1024)
    rows, detections = run(dataset, work, [record(name) for name in (*names, "turned.png")], settings)
    assert {row["reason"] for row in rows.values()} == {""}
    assert (rows["large.jpg"]["width_pixels"], rows["large.jpg"]["height_pixels"]) == (2048, 2048)
    expected = np.array([detections["plain.png"][0][side] for side in ("left", "top", "right", "bottom")])
    for name, found in detections.items():
        scale = 8 if name == "large.jpg" else 1
        box = np.array([found[0][side] for side in ("left", "top", "right", "bottom")])
        assert box / scale == pytest.approx(expected, abs=4)


def test_bad_videos_are_rows_and_the_rest_goes_on(tmp_path, portraits):
    dataset = tmp_path / "dataset"
    write_jpeg(dataset / "good.jpg", portraits[0][0])
    write_video(dataset / "nobody.mp4", frames=15)
    (dataset / "broken.mkv").write_bytes(b"no video")
    write_audio(dataset / "sound.mp4", np.zeros(16_000))
    frames = [
        ("broken.mkv", 0.0),
        ("nobody.mp4", 0.0),
        ("nobody.mp4", 1.0),
        ("nobody.mp4", 9.0),
        ("sound.mp4", 0.0),
    ]
    records = [record(frame_key(name, seconds), seconds) for name, seconds in frames]
    rows, _ = run(dataset, tmp_path / "work", [*records, record("good.jpg")])
    assert [row["reason"] for row in rows.values()] == [
        "unreadable_video",
        "no_face",
        "no_face",
        "unreadable_video",
        "no_video",
        "",
    ]
    assert rows["nobody.mp4#t=1.000"]["time_seconds"] == 1.0
