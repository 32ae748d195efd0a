import numpy as np
import pytest
from PIL import Image

import preprocessing.face_stage as face_stage
from preprocessing.face_settings import FaceSettings
from preprocessing.face_stage import make_face_worker
from src.artifacts.sources import SourceRecord
from src.media.image import read_image, write_jpeg


def record(key):
    return SourceRecord(
        key=key, modality="face", identity="id1", language="English", video="v", split="train", size_bytes=1
    )


@pytest.fixture
def folders(tmp_path, portraits, crowd):
    dataset = tmp_path / "dataset"
    write_jpeg(dataset / "faces/one.jpg", portraits[0][0])
    write_jpeg(dataset / "faces/two.jpg", crowd[0])
    write_jpeg(dataset / "faces/none.jpg", np.full((90, 120, 3), 128, np.uint8))
    write_jpeg(dataset / "faces/pixel.jpg", np.full((1, 1, 3), 128, np.uint8))
    Image.fromarray(portraits[1][0]).quantize(64).save(dataset / "faces/palette.png")
    whole = (dataset / "faces/one.jpg").read_bytes()
    (dataset / "faces/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (dataset / "faces/zero.jpg").write_bytes(b"")
    (dataset / "faces/page.jpg").write_text("<html>not found</html>")
    Image.new("1", (20_000, 6_001)).save(dataset / "faces/huge.png")
    return dataset, tmp_path / "work"


NAMES = [
    "zero.jpg",
    "two.jpg",
    "pixel.jpg",
    "page.jpg",
    "one.jpg",
    "palette.png",
    "none.jpg",
    "lost.jpg",
    "huge.png",
    "cut.jpg",
]
EXPECTED = {
    "one.jpg": "",
    "two.jpg": "",
    "palette.png": "",
    "none.jpg": "no_face",
    "pixel.jpg": "no_face",
    "cut.jpg": "truncated_image",
    "zero.jpg": "unreadable_image",
    "page.jpg": "unreadable_image",
    "lost.jpg": "missing",
    "huge.png": "too_large",
}


@pytest.mark.parametrize("block_pixels", [1, 24_000_000])
def test_every_file_becomes_a_row_with_its_reason(folders, monkeypatch, block_pixels):
    monkeypatch.setattr(face_stage, "_BLOCK_PIXELS", block_pixels)
    dataset, work = folders
    worker = make_face_worker(FaceSettings(), dataset, work, None, None, "cpu")
    tables = worker([record(f"faces/{name}") for name in NAMES])
    rows = {row["key"]: row for row in tables["manifest"].to_pylist()}
    assert list(rows) == [f"faces/{name}" for name in NAMES]
    assert {key.removeprefix("faces/"): row["reason"] for key, row in rows.items()} == EXPECTED
    for row in rows.values():
        assert row["status"] == ("failed" if row["reason"] else "done")
        assert bool(row["output"]) == (row["status"] == "done")
    assert rows["faces/palette.png"]["output"] == "face/crops/faces/palette.png.jpg"
    assert read_image(work / rows["faces/palette.png"]["output"]).shape == (160, 160, 3)
    assert (rows["faces/none.jpg"]["width_pixels"], rows["faces/none.jpg"]["face_count"]) == (120, 0)
    assert rows["faces/zero.jpg"]["face_count"] is None


def test_every_face_is_recorded_and_the_main_person_is_cut_out(folders, crowd):
    dataset, work = folders
    tables = make_face_worker(FaceSettings(), dataset, work, None, None, "cpu")([record("faces/two.jpg")])
    rows = tables["detections"].to_pylist()
    assert sorted(row["choice_reason"] for row in rows) == ["less_prominent", "most_prominent"]
    chosen = next(row for row in rows if row["chosen"])
    main, bystander = crowd[1]
    centre = (chosen["left"] + chosen["right"]) / 2
    assert abs(centre - (main[0] + main[2]) / 2) < abs(centre - (bystander[0] + bystander[2]) / 2)
    assert chosen["left"] < chosen["left_eye_x"] < chosen["right_eye_x"] < chosen["right"]
    crop = read_image(work / "face/crops/faces/two.jpg").astype(int)
    left, top = round(centre - 80), round((chosen["top"] + chosen["bottom"]) / 2 - 80)
    assert crop.shape == (160, 160, 3)
    assert 0 <= top < 256 > left >= -80


def test_a_part_without_faces_has_empty_detections(folders):
    dataset, work = folders
    tables = make_face_worker(FaceSettings(), dataset, work, None, None, "cpu")([record("faces/none.jpg")])
    assert tables["detections"].num_rows == 0
    assert tables["detections"].schema == face_stage.DETECTION_SCHEMA
