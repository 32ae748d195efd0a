import numpy as np
import pandas as pd
import pytest

from benchmarks.face_boxes import BOX, TRUTH, boxes_of, matches, overlap, read_truth
from preprocessing.face_detection import FaceDetection
from src.core.errors import DatasetError


def test_overlap_by_hand():
    first = np.array([[0, 0, 10, 10]])
    second = np.array([[5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert overlap(first, second).tolist() == [[pytest.approx(1 / 3), 0, 1]]


def test_a_match_needs_its_centre_inside_and_overlap():
    truth = np.array([[0, 0, 10, 10]])
    boxes = np.array([[1, 1, 11, 11], [4, 4, 6, 6], [6, 0, 16, 10], [-3, 0, 10, 10]])
    assert matches(truth, boxes).tolist() == [[True, False, False, True]]
    assert matches(truth, np.zeros((0, 4))).shape == (1, 0)


def test_boxes_are_cut_at_the_border():
    face = FaceDetection(box=(-5, -5, 30, 8), landmarks=np.zeros((5, 2)), probability=1.0)
    assert boxes_of([face], (10, 20)).tolist() == [[0, 0, 20, 8]]
    assert boxes_of([]).shape == (0, 4)


def test_the_truth_file_holds_boxes():
    truth = pd.read_csv(TRUTH)
    assert truth.columns.tolist() == ["image", *BOX, "visibility"]
    assert (truth["right"] > truth["left"]).all() and (truth["bottom"] > truth["top"]).all()
    assert set(truth["visibility"]) == {"clear", "small", "partial", "hint"}


def test_absent_photographs_are_explained(tmp_path):
    with pytest.raises(DatasetError, match="FACE_DATA=FOLDER"):
        read_truth(tmp_path)
