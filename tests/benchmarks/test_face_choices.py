import pandas as pd
import pytest

from benchmarks.face_boxes import BOX
from benchmarks.face_choices import measure_choices


def test_shares_by_hand():
    truth = pd.DataFrame(
        [
            ("a", "main", 0, 0, 10, 10),
            ("a", "bystander", 20, 0, 30, 10),
            ("b", "main", 0, 0, 10, 10),
            ("c", "main", 0, 0, 9, 9),
        ],
        columns=["key", "role", *BOX],
    )
    detections = pd.DataFrame(
        [
            ("a", False, 0, 0, 10, 9),
            ("a", True, 20, 0, 30, 10),
            ("b", True, 0, 0, 10, 10),
            ("b", False, 50, 0, 60, 9),
        ],
        columns=["key", "chosen", *BOX],
    )
    results = measure_choices(pd.DataFrame({"key": ["a", "b", "c"]}), detections, truth)
    assert results["portraits"] == 3
    assert results["found_share"] == results["crop_share"] == pytest.approx(2 / 3)
    assert (results["right_person_share"], results["right_person_share_with_bystanders"]) == (0.5, 0.0)
    assert (results["bystanders_found_share"], results["false_boxes"]) == (1.0, 1)
