"""The face stage with coloured squares for faces: the colour of a square is who it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preprocessing import face_stage
from preprocessing.face_alignment import ARCFACE_TEMPLATE
from preprocessing.face_detection import FaceDetection
from preprocessing.face_settings import FaceSettings
from preprocessing.face_stage import FaceWorker, needs_encoder
from src.artifacts.sources import SourceRecord
from src.media.image import read_image
from src.media.jpeg import decode_jpeg, encode_jpeg

ANNA, BEN, CLARA = (250, 10, 10), (10, 250, 10), (10, 10, 250)
BACKGROUND = (60, 60, 60)


class SquareDetector:
    """Finds squares; a grey value of 255 in no channel, so a dim square is an improbable face."""

    def detect(self, images):
        return [
            [face for colour in (ANNA, BEN, CLARA) for face in self.squares(image, colour)]
            for image in images
        ]

    @staticmethod
    def squares(image, colour):
        rows, columns = np.nonzero((image == colour).all(axis=-1))
        if not len(rows):
            return
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        landmarks = ARCFACE_TEMPLATE / 112 * (right - left) + (left, top)
        yield FaceDetection(box=(left, top, right, bottom), landmarks=landmarks, probability=0.99)


class ColourComparer:
    name = "colours"

    def __init__(self):
        self.seen = 0

    def embed(self, crops):
        self.seen += len(crops)
        centres = np.stack([crop[60:100, 60:100].mean(axis=(0, 1)) for crop in crops])
        return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def photograph(*people):
    """People as (colour, side): the first in the middle of 300 x 300 pixels, others further and further from it."""
    pixels = np.full((300, 300, 3), BACKGROUND, np.uint8)
    for (colour, side), centre in zip(people, [(150, 150), (50, 50), (250, 250)], strict=False):
        left, top = (place - side // 2 for place in centre)
        pixels[top : top + side, left : left + side] = colour
    return pixels


@pytest.fixture
def process(tmp_path):
    def run(photographs, split="train", **settings):
        """Photographs by key to reasons by key, colours of the crops by key, faces by key, and faces compared."""
        for key, pixels in photographs.items():
            path = tmp_path / "dataset" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        records = [
            SourceRecord(
                key=key,
                modality="face",
                identity="",
                language="",
                video=Path(key).parent.name,
                split=split,
                size_bytes=1,
            )
            for key in photographs
        ]
        comparer = ColourComparer()
        chosen = FaceSettings(same_person_similarity=0.8, **settings)
        worker = FaceWorker(chosen, tmp_path / "dataset", tmp_path / "work", SquareDetector(), comparer)
        tables = worker(records)
        rows = {row["key"]: row for row in tables["manifest"].to_pylist()}
        colours = {}
        for key, row in rows.items():
            if row["output"]:
                centre = read_image(tmp_path / "work" / row["output"])[50:60, 50:60].mean(axis=(0, 1))
                colours[key] = min((ANNA, BEN, CLARA), key=lambda one: np.abs(np.array(one) - centre).sum())
        faces = {key: [row for row in tables["detections"].to_pylist() if row["key"] == key] for key in rows}
        return {key: row["reason"] for key, row in rows.items()}, colours, faces, comparer.seen

    return run


FOLDER = {
    "faces/p/v/0.png": photograph((ANNA, 80)),
    "faces/p/v/1.png": photograph((BEN, 90), (ANNA, 40)),
    "faces/p/v/2.png": photograph((ANNA, 60), (CLARA, 50)),
    "faces/p/v/3.png": photograph((BEN, 80)),
}


@pytest.mark.parametrize("block_pixels", [1, 200_000, 24_000_000])
def test_the_person_of_the_folder_is_cut_out_and_nobody_else(process, monkeypatch, block_pixels):
    monkeypatch.setattr(face_stage, "_BLOCK_PIXELS", block_pixels)
    reasons, colours, faces, compared = process(FOLDER)
    assert reasons == {**dict.fromkeys(FOLDER, ""), "faces/p/v/3.png": "no_keynote_face"}
    assert colours == dict.fromkeys([key for key in FOLDER if "3" not in key], ANNA)
    assert [face["choice_reason"] for face in faces["faces/p/v/1.png"]] == ["keynote_person", "other_person"]
    anna = faces["faces/p/v/0.png"][0]["cluster"]
    assert [face["cluster"] == anna for face in faces["faces/p/v/2.png"]] == [True, False]
    assert faces["faces/p/v/3.png"][0]["choice_reason"] == "other_person"
    assert compared == 6


def test_each_photograph_by_itself_takes_its_most_prominent_face(process):
    for photographs, settings in ((FOLDER, {"face_choice": "image"}), (FOLDER, {"split": "test"})):
        reasons, colours, faces, compared = process(photographs, **settings)
        assert set(reasons.values()) == {""}
        assert list(colours.values()) == [ANNA, BEN, ANNA, BEN]
        assert compared == 0
        assert {face["cluster"] for rows in faces.values() for face in rows} == {-1}


def test_faces_are_compared_only_where_it_matters(process):
    alone = {
        f"faces/p/v/{number}.png": photograph((colour, 80))
        for number, colour in enumerate([ANNA, ANNA, ANNA, BEN])
    }
    reasons, colours, _, compared = process(alone)
    assert (set(reasons.values()), compared) == ({""}, 0)
    assert list(colours.values()) == [ANNA, ANNA, ANNA, BEN]
    reasons, _, _, compared = process(alone, compare_lone_faces=True)
    assert (list(reasons.values()), compared) == (["", "", "", "no_keynote_face"], 4)
    single = {"faces/p/v/0.png": photograph((ANNA, 80), (BEN, 60))}
    assert process(single)[3] == 0


def test_two_photographs_are_too_few_to_give_one_up(process):
    reasons, colours, faces, _ = process(
        {
            "faces/p/v/0.png": photograph((BEN, 90), (ANNA, 50)),
            "faces/p/v/1.png": photograph((ANNA, 80)),
            "faces/p/w/0.png": photograph((BEN, 90), (ANNA, 50)),
            "faces/p/w/1.png": photograph((CLARA, 80)),
        }
    )
    assert set(reasons.values()) == {""}
    assert list(colours.values()) == [ANNA, ANNA, BEN, CLARA]
    assert [face["choice_reason"] for face in faces["faces/p/w/0.png"]] == [
        "less_prominent",
        "unclear_folder",
    ]
    assert [face["choice_reason"] for face in faces["faces/p/w/1.png"]] == ["unclear_folder"]


def test_faces_beyond_the_most_prominent_are_recorded_and_not_compared(process):
    _, _, faces, compared = process(FOLDER, most_candidates=1)
    assert compared == 4
    assert [face["cluster"] for face in faces["faces/p/v/1.png"]].count(-1) == 1


def test_a_photograph_without_faces_does_not_count(process):
    folder = {**FOLDER, "faces/p/v/4.png": photograph(), "faces/p/v/5.png": photograph()}
    reasons, *_ = process(folder)
    assert [reasons[f"faces/p/v/{number}.png"] for number in (0, 3, 4, 5)] == [
        "",
        "no_keynote_face",
        "no_face",
        "no_face",
    ]


def test_crops_are_aligned_when_asked(process, tmp_path):
    _, colours, _, compared = process(FOLDER, crop="aligned")
    assert set(colours.values()) == {ANNA}
    assert compared == 6
    assert read_image(tmp_path / "work/face/crops/faces/p/v/0.png.jpg").shape == (112, 112, 3)


def test_reduced_images_give_boxes_in_full_pixels(process):
    large = {"faces/p/v/0.png": np.kron(photograph((ANNA, 80)), np.ones((4, 4, 1), np.uint8))}
    _, _, faces, _ = process(large, reading_side_pixels=640, face_choice="image")
    face = faces["faces/p/v/0.png"][0]
    assert [face[edge] for edge in ("left", "top", "right", "bottom")] == [440, 440, 760, 760]
    assert face["nose_x"] == pytest.approx(440 + 56.0252 / 112 * 320, abs=0.1)


def test_an_encoder_is_needed_only_for_folders_of_several_photographs():
    def record(key, split="train"):
        return SourceRecord(
            key=key,
            modality="face",
            identity="p",
            language="",
            video=Path(key).parent.name,
            split=split,
            size_bytes=1,
        )

    apart, together = (
        [record("faces/p/v/0.jpg"), record("faces/p/w/0.jpg")],
        [record("a/v/0.jpg"), record("a/v/1.jpg")],
    )
    tests = [record("faces/English/0.jpg", "test"), record("faces/English/1.jpg", "test")]
    assert not needs_encoder(FaceSettings(), [*apart, *tests])
    assert needs_encoder(FaceSettings(), together)
    assert not needs_encoder(FaceSettings(face_choice="image"), together)


def test_jpegs_in_memory_are_those_on_disk():
    pixels = photograph((ANNA, 80))
    decoded = decode_jpeg(encode_jpeg(pixels))
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).mean() < 2
