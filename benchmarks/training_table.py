"""The table of the training benchmark: what is to be reached, and what was measured beside its bound."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.speech_table import Row

_TIMES = {"cafnet": 8.0, "fop": 5.0, "cafnet_gpu": 20.0, "fop_gpu": 20.0}
_RUN_SECONDS = 60.0
_WHAT = {"cafnet": ("CAFNet as released", "pairs"), "fop": ("FOP, gated", "rows")}


def rows_of(figures: Mapping[str, Any]) -> Iterator[Row]:
    """The lines of whatever was measured; figures: by section, as `benchmarks.training` writes them."""
    for section, found in figures.items():
        if section in _TIMES:
            yield from _speed_rows(section, found, figures["bounds"])
    if "fop_run" in figures:
        yield _run_row(figures["fop_run"])


def _speed_rows(section: str, found: Mapping[str, Any], bounds: Mapping[str, Any]) -> Iterator[Row]:
    method, _, gpu = section.partition("_")
    what, unit = _WHAT[method]
    reach = f"{_TIMES[section]:g} times the published loop"
    if "unavailable" in found:
        measured = f"not available: {found['unavailable']}"
        yield Row(what=f"{what}, on a GPU", on="", reach=reach, measured=measured, met=None)
        return
    rate = bounds["gpu" if gpu else "processor"]["float32"]
    for name, on, asked in (
        ("same_vectors", "as many vectors a step", True),
        ("same_pairs", f"as many {unit} a step", False),
    ):
        allowed = rate / found["operations_each"][name]
        measured = (
            f"{found['a_second'][name]:,.0f} {unit} a second, {found['times_faster'][name]:.1f} times the published "
            f"loop's {found['a_second']['published']:,.0f}; its arithmetic would allow {allowed:,.0f}, the published "
            f"{rate / found['operations_each']['published']:,.0f}"
        )
        yield Row(
            what=f"{what}{', on a GPU' if gpu else ''}",
            on=f"{on}: {found['batch'][name]} {unit} against {found['batch']['published']}",
            reach=reach if asked else "",
            measured=measured,
            met=found["times_faster"][name] >= _TIMES[section] if asked else None,
        )


def _run_row(found: Mapping[str, Any]) -> Row:
    return Row(
        what="a whole FOP training",
        on=f"{found['rows']:,} rows × {found['epochs']} epochs, stores read and validations included",
        reach=f"under {_RUN_SECONDS:g} s on 2 cores",
        measured=f"{found['seconds']:.1f} s, of them {found['training_seconds']:.1f} s in the loop",
        met=found["seconds"] < _RUN_SECONDS,
    )
