import pytest

from demo.completion import CompletionMarker
from src.core.errors import DatasetError
from src.core.files import read_json


def marker_in(folder, seed=0):
    products = (folder / "dataset", folder / "truth")
    return CompletionMarker(path=folder / "dataset" / "M.json", products=products, settings={"seed": seed})


def generate(folder, seed=0):
    marker = marker_in(folder, seed)
    marker.begin()
    for product in marker.products:
        product.mkdir()
    marker.finish({"counts": 1})
    return marker


def test_what_was_finished_is_there(tmp_path):
    assert not marker_in(tmp_path).already_there()
    marker = generate(tmp_path)
    assert marker.already_there()
    assert read_json(marker.path)["counts"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "truth"]


def test_other_settings_are_an_error_that_names_them(tmp_path):
    generate(tmp_path)
    with pytest.raises(DatasetError, match=r"seed: 0 there, 1 wanted.*Name another folder"):
        marker_in(tmp_path, seed=1).already_there()


def test_a_foreign_folder_is_never_touched(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not generated"):
        marker_in(tmp_path).already_there()
    assert (tmp_path / "truth" / "mine.txt").exists()


def test_an_interrupted_generation_starts_anew(tmp_path):
    marker = marker_in(tmp_path)
    marker.begin()
    marker.products[0].mkdir()
    (marker.products[0] / "half.wav").touch()
    assert not marker_in(tmp_path, seed=3).already_there()
    marker_in(tmp_path, seed=3).begin()
    assert not marker.products[0].exists()


def test_a_world_whose_truth_is_gone_is_not_whole(tmp_path):
    generate(tmp_path).products[1].rmdir()
    with pytest.raises(DatasetError, match="is gone"):
        marker_in(tmp_path).already_there()
