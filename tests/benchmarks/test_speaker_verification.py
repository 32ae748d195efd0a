import numpy as np
import pytest

from benchmarks.speaker_verification import pair_error_rate

VECTORS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


def test_pairs_of_one_person_are_told_from_others():
    assert pair_error_rate(VECTORS, ["a", "a", "b", "b"]) == 0
    # both same pairs score 0, of the different ones two score 1 and two 0: the curve runs from (0.5, 0) to (1, 1)
    assert pair_error_rate(VECTORS, ["a", "b", "a", "b"]) == pytest.approx(2 / 3)


def test_pieces_of_one_recording_are_no_pair():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    people, sources = ["a", "a", "a", "b"], ["x", "x", "y", "z"]
    # left are a-a with 1 and 0, a-b with 0.6, 0.8 and 0.6: half of the former beats all of the latter, half none
    assert pair_error_rate(vectors, people, sources) == pytest.approx(0.5)
