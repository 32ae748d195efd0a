"""The table of all methods: how `best` stands is computed from the table."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.methods import RECIPES, goals


def test_goals_compare_best_with_the_second_and_the_limit() -> None:
    table = pd.DataFrame(
        {
            "method": ["best", "fop", "cafnet", "sex alone", "Bayes limit"],
            "seeds": [5, 5, 5, None, None],
            "test_eer_mean": [0.21, 0.30, 0.24, 0.33, 0.14],
            "test_eer_std": [0.01, 0.02, 0.005, None, None],
        }
    )
    found = goals(table)
    assert found["second"] == "cafnet", "references are no methods"
    assert found["best_over_bayes_limit"] == pytest.approx(1.5)
    assert found["ahead_of_second"] == pytest.approx(0.03)
    assert found["standard_deviation_of_second"] == 0.005


def test_every_recipe_of_the_table_exists() -> None:
    assert all(Path(f"configs/{name}.yaml").is_file() for name in RECIPES)
