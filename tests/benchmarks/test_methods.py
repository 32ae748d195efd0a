"""The table of all methods: how `best` stands is computed from the table."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.methods import AS_IT_IS, RECIPES, goals


def test_goals_compare_best_with_the_second_and_the_limit() -> None:
    table = pd.DataFrame(
        {
            "method": ["best", "fop", "cafnet", "sex alone", "Bayes limit"],
            "seeds": [5, 5, 5, None, None],
            "test_eer_mean": [0.21, 0.30, 0.24, 0.33, 0.14],
            "test_eer_std": [0.01, 0.02, 0.005, None, None],
        }
    )
    (found,) = goals(table).values()
    assert found["second"] == "cafnet", "references are no methods"
    assert found["over_bayes_limit"] == pytest.approx(1.5)
    assert found["ahead_of_second"] == pytest.approx(0.03)
    assert found["standard_deviation_of_second"] == 0.005


def test_both_rows_of_best_are_compared_with_the_rows_of_others() -> None:
    """Averaged networks of another method are what `best` has to be ahead of."""
    table = pd.DataFrame(
        {
            "method": ["best", "fop", "best" + AS_IT_IS, "fop" + AS_IT_IS, "Bayes limit"],
            "seeds": [5, 5, 5, 5, None],
            "test_eer_mean": [0.24, 0.30, 0.22, 0.25, 0.1],
            "test_eer_std": [0.01, 0.02, 0.005, 0.004, None],
        }
    )
    found = goals(table)
    assert set(found) == {"best", "best" + AS_IT_IS}
    assert {row["second"] for row in found.values()} == {"fop" + AS_IT_IS}
    assert found["best"]["ahead_of_second"] == pytest.approx(0.01)


def test_every_recipe_of_the_table_exists() -> None:
    assert all(Path(f"configs/{name}.yaml").is_file() for name in RECIPES)
