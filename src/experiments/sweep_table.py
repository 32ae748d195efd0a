"""The table of a sweep: mean and standard deviation over seeds, beside what bounds them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from src.core.polarity import score_from_similarity
from src.metrics.verification import equal_error_rate
from src.scoring.truth import BAYES_RATIO, SAME_SEX

TABLE_FILE = "table.csv"
RATES = {
    "validation_eer": "validation",
    "heard_eer": "heard",
    "unheard_eer": "unheard",
    "test_eer": "all",
    "heard_same_sex_eer": "heard, same sex",
    "unheard_same_sex_eer": "unheard, same sex",
    "test_same_sex_eer": "all, same sex",
}


def method_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a method: `<rate>_mean` and `<rate>_std` over the seeds, of each seed's mean over languages.

    `test_eer` is the mean of heard and unheard. The deviation is the sample's; NaN for one seed.
    """
    done = runs[runs["status"] == "done"].copy()
    for rate in ("eer", "same_sex_eer"):
        both = [f"{condition}_{rate}" for condition in ("heard", "unheard")]
        if set(both) <= set(done.columns):
            done[f"test_{rate}"] = done[both].mean(axis=1)
    rates = [name for name in RATES if name in done.columns]
    rows = []
    for method, of_method in done.groupby("method", sort=False):
        by_seed = of_method.groupby("seed")[rates].mean()
        row: dict[str, object] = {"method": method, "seeds": len(by_seed)}
        for rate in rates:
            row[f"{rate}_mean"], row[f"{rate}_std"] = by_seed[rate].mean(), by_seed[rate].std()
        rows.append(row)
    return pd.DataFrame(rows)


def references(truths: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What a guess by sex alone reaches, and the limit that no system can beat, where the truths can say it."""
    rows = []
    for name, column in (("sex alone", SAME_SEX), ("Bayes limit", BAYES_RATIO)):
        if not all({column, SAME_SEX} <= set(truth.columns) for truth in truths.values()):
            continue
        all_pairs = float(np.mean([_error(truth, column) for truth in truths.values()]))
        same_sex = float(np.mean([_error(truth[truth[SAME_SEX] == 1], column) for truth in truths.values()]))
        rows.append(
            {
                "method": name,
                **{f"{rate}_mean": all_pairs for rate in ("heard_eer", "unheard_eer", "test_eer")},
                **{f"{rate}_mean": same_sex for rate in RATES if rate.endswith("same_sex_eer")},
            }
        )
    return pd.DataFrame(rows)


def printed(table: pd.DataFrame) -> str:
    """The table for people, in per cent."""
    shown = pd.DataFrame({"method": table["method"]})
    for rate, title in RATES.items():
        if f"{rate}_mean" in table:
            deviations = table.get(f"{rate}_std", pd.Series(np.nan, table.index))
            shown[title] = [
                "–"
                if np.isnan(mean)
                else f"{100 * mean:.1f}" + ("" if np.isnan(std) else f" ± {100 * std:.1f}")
                for mean, std in zip(table[f"{rate}_mean"], deviations, strict=True)
            ]
    return "EER in %, mean ± standard deviation over seeds\n" + shown.to_string(index=False)


def _error(truth: pd.DataFrame, column: str) -> float:
    score = score_from_similarity(truth[column].to_numpy(dtype=float))
    return equal_error_rate(score, truth["label"].to_numpy())
