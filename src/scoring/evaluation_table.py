"""Measures as a table for the terminal."""

from collections.abc import Mapping

from src.metrics.bootstrap import Interval

_COLUMNS = (
    ("EER", "eer"),
    ("limit", "bayes_eer"),
    ("same-sex EER", "same_sex_eer"),
    ("limit", "same_sex_bayes_eer"),
    ("AUC", "auc"),
    ("minDCF", "min_dcf"),
    ("TPR @ 1 %", "tpr_at_fpr_1_percent"),
    ("@ 0.1 %", "tpr_at_fpr_0_1_percent"),
    ("10-fold", "ten_fold_accuracy"),
)
_COSTS = frozenset({"min_dcf"})
_INTERVAL_ROW = "    95 % interval"


def evaluation_table(
    rows: Mapping[str, tuple[int | None, Mapping[str, float | None]]],
    intervals: Mapping[str, Mapping[str, Interval | None]] | None = None,
) -> str:
    """A table for the terminal, rates in per cent; columns that no row has are left out.

    rows: name → number of trials (None to leave it out) and its measures. intervals: name of a row → measure → interval,
    shown in a line below the row.
    """
    columns = [
        (title, rate)
        for title, rate in _COLUMNS
        if any(rates.get(rate) is not None for _, rates in rows.values())
    ]
    lines = [["", "trials", *(title for title, _ in columns)]]
    for name, (trials, rates) in rows.items():
        shown = [_measure(rate, rates.get(rate)) for _, rate in columns]
        lines.append([name, "" if trials is None else str(trials), *shown])
        found = (intervals or {}).get(name, {})
        if any(found.values()):
            lines.append([_INTERVAL_ROW, "", *(_interval(rate, found.get(rate)) for _, rate in columns)])
    return aligned(lines)


def aligned(lines: list[list[str]]) -> str:
    """Columns of equal width: the first to the left, the others to the right."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    )


def percent(rate: float | None) -> str:
    """A rate from 0 to 1 in per cent, for people.

    >>> percent(0.28125)
    '28.12 %'
    """
    return "–" if rate is None else f"{100 * rate:.2f} %"


def percent_range(interval: Interval | None) -> str:
    """An interval of rates in per cent, for people.

    >>> percent_range(Interval(0.25, 0.3))
    '25.0–30.0 %'
    """
    return "" if interval is None else f"{100 * interval.low:.1f}–{100 * interval.high:.1f} %"


def _measure(name: str, value: float | None) -> str:
    return f"{value:.3f}" if value is not None and name in _COSTS else percent(value)


def _interval(name: str, interval: Interval | None) -> str:
    if interval is not None and name in _COSTS:
        return f"{interval.low:.3f}–{interval.high:.3f}"
    return percent_range(interval)
