"""The table of all methods: how `best` stands is computed from the table."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.methods import AS_IT_IS, RECIPES, goals


def test_goals_compare_best_with_the_second_and_the_limit() -> None:
    """Of two rows of best, and averaged networks of another method, which best has to be ahead of as well."""
    table = pd.DataFrame(
        {
            "method": [
                "best",
                "fop",
                "cafnet",
                "best" + AS_IT_IS,
                "cafnet" + AS_IT_IS,
                "sex alone",
                "Bayes limit",
            ],
            "seeds": [5, 5, 5, 5, 5, None, None],
            "test_eer_mean": [0.21, 0.30, 0.24, 0.20, 0.23, 0.33, 0.14],
            "test_eer_std": [0.01, 0.02, 0.005, 0.01, 0.004, None, None],
            "validation_eer_mean": [0.22, 0.25, 0.26, 0.21, 0.27, None, None],
            "validation_eer_std": [0.01, 0.02, 0.005, 0.01, 0.003, None, None],
        }
    )
    found = goals(table)
    assert set(found) == {"best", "best" + AS_IT_IS}
    one = found["best"]
    assert one["over_bayes_limit"] == pytest.approx(1.5)
    assert one["test_eer"]["second"] == "cafnet" + AS_IT_IS, "references are no methods, nor is best itself"
    assert one["test_eer"]["ahead_of_second"] == pytest.approx(0.02)
    assert one["test_eer"]["standard_deviation_of_second"] == 0.004
    assert one["validation_eer"]["second"] == "fop"
    assert found["best" + AS_IT_IS]["validation_eer"]["ahead_of_second"] == pytest.approx(0.04)


def test_every_recipe_of_the_table_exists() -> None:
    assert all(Path(f"configs/{name}.yaml").is_file() for name in RECIPES)
