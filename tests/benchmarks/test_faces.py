import numpy as np
import pytest

from benchmarks.face_memory import growth_bytes
from benchmarks.face_pictures import draw_backgrounds, write_large_files, write_mixed_files
from benchmarks.face_speed import _largest_difference
from benchmarks.face_table import rows_of
from benchmarks.faces import main
from benchmarks.speech_table import format_table
from src.core.errors import DatasetError
from src.media.image import read_image, write_jpeg

SPEED = {
    "images": 200,
    "workers": 2,
    "images_per_second": 80.0,
    "published_per_second": 40.0,
    "times_faster": 2.0,
    "processor_seconds_per_image": 0.02,
    "published_processor_seconds_per_image": 0.04,
}


def test_rows_say_what_is_met():
    figures = {
        "recall": {"faces": 31, "found": 30, "false_boxes": 2, "certain_false_boxes": 1},
        "backgrounds": {"images": 200, "boxes": 3, "certain_boxes": 1},
        "speed": {**SPEED, "images_with_same_boxes": 200, "multiply_adds_per_image": 1.5e8},
        "gpu": {"unavailable": "no GPU"},
        "memory": {"images": 10_000, "workers": 2, "growth_bytes": 1e8, "peak_bytes": 1e9},
    }
    rows = list(rows_of(figures))
    assert [row.met for row in rows] == [True, False, True, None, False]
    assert "no GPU" in rows[3].measured
    assert len(format_table(rows).splitlines()) == 7


def test_boxes_are_compared_face_by_face():
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[20.0, 0, 30, 10]])
    both = np.concatenate([one, other])
    assert _largest_difference(both, both[::-1] + 1.5) == 1.5
    assert _largest_difference(one, both) is None
    assert _largest_difference(one[:0], one[:0]) == 0


def test_growth_is_from_the_second_to_the_last_quarter():
    assert growth_bytes([9, 9, 3, 4, 5, 5, 4, 6]) == 2


def test_pictures_have_the_sizes_that_they_are_for(tmp_path):
    assert {image.shape for image in draw_backgrounds(2)} == {(256, 256, 3)}
    write_jpeg(tmp_path / "one.jpg", np.full((60, 40, 3), 200, np.uint8))
    large = write_large_files([tmp_path / "one.jpg"], tmp_path / "large")
    assert read_image(large[0]).shape == (1080, 1920, 3)
    mixed = write_mixed_files([tmp_path / "one.jpg"], tmp_path / "mixed", 3)
    assert all(96 <= max(read_image(path).shape) <= 1600 for path in mixed)


def test_absent_photographs_are_explained(tmp_path):
    with pytest.raises(DatasetError, match="FACE_DATA=FOLDER"):
        main([str(tmp_path)])
