import numpy as np
import pyarrow as pa
import pytest

from preprocessing.contact_sheet import (
    CHOSEN_COLOUR,
    TILE_PIXELS,
    DrawnFace,
    Tile,
    caption_lines,
    draw_contact_sheet,
    numbered,
    thumbnail,
)
from preprocessing.contact_sheet_stage import make_contact_sheet_stage
from preprocessing.face_tables import BOX_COLUMNS, DETECTION_SCHEMA, LANDMARK_COLUMNS, MANIFEST_SCHEMA
from src.core.stage import Stage, read_parts, run_stage
from src.media.image import read_image, write_jpeg


def face(text="1.00  only face", chosen=True):
    return DrawnFace(
        box=(100.0, 100.0, 300.0, 300.0), landmarks=np.full((5, 2), 200.0), text=text, chosen=chosen
    )


def tile(*faces, pixels=True, caption=("a.jpg",)):
    shown = np.full((TILE_PIXELS, TILE_PIXELS, 3), 128, np.uint8) if pixels else None
    return Tile(pixels=shown, scale=0.5, caption=caption, faces=faces)


def test_lines_name_the_chosen_face_first_and_are_bounded():
    faces = [face("0.99  other person, person 1", False), face("1.00  keynote person, person 0")]
    assert [number for number, _ in numbered(faces)] == [1, 2]
    assert caption_lines(tile(*faces)) == [
        "a.jpg",
        "1  1.00  keynote person, person 0",
        "2  0.99  other person, person 1",
    ]
    many = caption_lines(tile(*faces, *[face("0.5  improbable", False)] * 40))
    assert len(many) == 6
    assert many[-1] == "and 38 more"
    assert len(caption_lines(tile(caption=("x" * 300,)))[0]) < 50


@pytest.mark.parametrize("size", [(10, 20), (2000, 1000), (1, 5000)])
def test_a_thumbnail_has_one_longer_side(size):
    small = thumbnail(np.zeros((*size, 3), np.uint8))
    assert max(small.shape[:2]) == TILE_PIXELS


def test_the_box_of_the_chosen_face_is_drawn_where_it_is(tmp_path):
    path = tmp_path / "folder/sheet.png"
    draw_contact_sheet(path, "a $_{$ b", [tile(face())])
    sheet = read_image(path).astype(int)
    colour = [int(CHOSEN_COLOUR[place : place + 2], 16) for place in (1, 3, 5)]
    rows, columns = np.nonzero((np.abs(sheet - colour).max(axis=-1) < 12)[64:])
    inside = columns > 40  # right of the legend
    # 10 pixels of gap; the box from 50 to 150 within the tile, its line 4 pixels wide
    assert columns[inside].min() == pytest.approx(10 + 50, abs=8)
    assert columns[inside].max() == pytest.approx(10 + 150, abs=4)
    assert rows.max() == pytest.approx(150, abs=4)


def test_there_is_a_sheet_whatever_there_is_to_show(tmp_path):
    draw_contact_sheet(tmp_path / "none.png", "nothing", [])
    draw_contact_sheet(
        tmp_path / "some.png", "some", [tile(pixels=False, caption=("a.jpg", "missing"))] + [tile()] * 6
    )
    assert read_image(tmp_path / "some.png").shape[1] > 6 * TILE_PIXELS


def test_every_folder_is_drawn_once_and_large_ones_by_their_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr("preprocessing.contact_sheet_stage.MOST_PHOTOGRAPHS", 2)
    titles = []
    monkeypatch.setattr(
        "preprocessing.contact_sheet_stage.draw_contact_sheet",
        lambda path, title, tiles: (titles.append(title), draw_contact_sheet(path, title, tiles)),
    )
    keys = ["faces/p/v/0.jpg", "faces/p/v/1.jpg", "faces/p/v/2.jpg", "faces/p/w/0.jpg"]
    write_jpeg(tmp_path / "dataset" / keys[0], np.full((90, 120, 3), 90, np.uint8))
    source = {
        "modality": "face",
        "identity": "p",
        "language": "",
        "video": "v",
        "split": "train",
        "size_bytes": 1,
    }
    rows = [{"key": key, **source, "status": "done", "reason": ""} for key in keys]
    found = dict.fromkeys((*BOX_COLUMNS, *LANDMARK_COLUMNS), 10.0)
    faces = [
        {
            "key": keys[0],
            **found,
            "probability": 1.0,
            "cluster": 0,
            "chosen": True,
            "choice_reason": "only_face",
        }
    ]
    tables = {
        "manifest": pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA),
        "detections": pa.Table.from_pylist(faces, schema=DETECTION_SCHEMA),
    }
    work = tmp_path / "work"
    stage = Stage(
        name="faces", folder=work / "face", parts=[keys], make_worker=lambda: lambda _: tables, settings={}
    )
    run_stage(stage, 1)
    assert run_stage(make_contact_sheet_stage(tmp_path / "dataset", work, {}), 1).done == 2
    assert titles == ["faces/p/v  ·  the first 2 of 3 photographs", "faces/p/w  ·  1 photographs"]
    for row in read_parts(work / "face/plots/manifest").to_pylist():
        assert (work / row["output"]).is_file()
    assert run_stage(make_contact_sheet_stage(tmp_path / "dataset", work, {}), 1).reused == 2
