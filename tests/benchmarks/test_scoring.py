"""The scoring benchmark at a small size: both sides agree, and the table says what is missed."""

import pytest

from benchmarks.scoring import main, measure_ten_folds, table_of
from benchmarks.scoring_curves import SIDES, measure_side
from benchmarks.scoring_pairs import measure_pairs
from src.core.errors import DatasetError
from src.core.files import read_json


def test_both_sides_measure_the_same():
    ours, theirs = (measure_side(side, 60_000) for side in SIDES)
    assert ours["equal_error_rate"] == pytest.approx(theirs["equal_error_rate"], abs=1e-9)
    assert ours["area"] == pytest.approx(theirs["area"], abs=1e-9)
    assert ours["equal_error_rate"] == pytest.approx(0.274, abs=0.01)  # Φ(−0.6)
    assert ours["peak_bytes"] > 0


def test_ten_folds_equal_the_sweep():
    figures = measure_ten_folds(60)
    assert figures["difference"] == 0.0
    assert 0.5 < figures["accuracy"] < 1.0


def test_pairs_together_equal_pairs_one_at_a_time():
    figures = measure_pairs(embeddings=60, trials=50, single_trials=10)
    assert (figures["embeddings"], figures["timed_one_at_a_time"]) == (60, 10)
    assert figures["largest_difference"] < 1e-5


def test_the_table_says_what_is_missed():
    table = table_of({"pairs": {"times_as_fast": 99.0}, "golden": {"largest_difference": 0.0}})
    golden, pairs = table.splitlines()
    assert "at most 1e-09" in golden
    assert golden.endswith("reached")
    assert "at least 100" in pairs
    assert pairs.endswith("MISSED")


def test_the_command_writes_its_figures(tmp_path):
    small = ["--trials", "1000", "--pairs", "40", "--embeddings", "40", "--single", "4"]
    assert main([*small, "--out", str(tmp_path / "scoring.json")]) == 0
    written = read_json(tmp_path / "scoring.json")
    assert {"commit", "hardware", "curves", "ten_folds", "pairs", "targets"} <= written.keys()
    assert written["curves"]["largest_difference"] < 1e-9


def test_published_numbers_that_are_not_there(tmp_path):
    with pytest.raises(DatasetError, match="no such file of published numbers"):
        main(["--golden", str(tmp_path / "none.npz")])
