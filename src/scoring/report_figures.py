"""The report's plots, as SVG that stands inside the page and takes its colours from the page's style.

Matplotlib draws with stand-in colours, one a role; they are replaced by CSS variables, so that a plot follows
the page between light and dark. Text stays text: it scales, can be searched, and takes the page's font.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtri

from src.metrics.verification import equal_error_rate_of, roc_curve

INK, MUTED, RULE = "#0a0001", "#0a0002", "#0a0003"
FIRST_MODEL, SECOND_MODEL, LIMIT = "#0a0004", "#0a0005", "#0a0006"
SAME, DIFFERENT = "#0a0007", "#0a0008"
TERMS = ("#0a0009", "#0a000a", "#0a000b", "#0a000c")
CSS_COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    FIRST_MODEL: "var(--model-1)",
    SECOND_MODEL: "var(--model-2)",
    LIMIT: "var(--limit)",
    SAME: "var(--same)",
    DIFFERENT: "var(--different)",
    **{colour: f"var(--term-{number})" for number, colour in enumerate(TERMS, 1)},
}
_SIZE_INCHES = (4.1, 2.9)
_LEFT, _BOTTOM = 0.56, 0.46  # inches that tick labels and titles of the axes take
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
}
_DET_TICKS_PERCENT = np.array([1, 2, 5, 10, 20, 40, 60, 80])
_DET_LIMITS = ndtri(np.array([0.007, 0.90]))


LineStyle = str | tuple[int, tuple[int, int]]  # a name, or (offset, (drawn, blank)) in line widths
SOLID: LineStyle = "-"
DASHED: LineStyle = (0, (5, 2))
DOTTED: LineStyle = ":"


@dataclass(frozen=True)
class ScoredCurve:
    """Scored trials to draw as one DET curve: lower score = same person, label 1 = same."""

    scores: np.ndarray
    labels: np.ndarray
    colour: str
    line: LineStyle


def det_figure(prefix: str, description: str, curves: Sequence[ScoredCurve]) -> Markup:
    """DET curves on normal-deviate axes (Martin et al., Eurospeech 1997); dots mark equal error rates."""

    def paint(axes: Axes) -> None:
        axes.plot(_DET_LIMITS, _DET_LIMITS, color=RULE, linewidth=0.8)
        for curve in curves:
            roc = roc_curve(curve.scores, curve.labels)
            x, y = _thinned(ndtri(roc.false_accept_rates), ndtri(roc.false_reject_rates))
            axes.plot(x, y, color=curve.colour, linestyle=curve.line, linewidth=1.8)
            rate = ndtri(equal_error_rate_of(roc))
            axes.plot([rate], [rate], "o", color=curve.colour, markersize=5)
        places = ndtri(_DET_TICKS_PERCENT / 100)
        axes.set_xticks(places, [f"{tick}" for tick in _DET_TICKS_PERCENT])
        axes.set_yticks(places, [f"{tick}" for tick in _DET_TICKS_PERCENT])
        axes.set(xlim=_DET_LIMITS, ylim=_DET_LIMITS)
        axes.set_xlabel("different people accepted, %")
        axes.set_ylabel("same person rejected, %")

    return _inline_svg(prefix, description, paint, (4.1, 3.7))


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points that the eye can tell apart: millions of trials become some hundred."""
    x, y = np.clip(x, -4, 4), np.clip(y, -4, 4)
    steps = np.diff(np.stack([x, y]).round(2), axis=1).any(axis=0)
    kept = np.append(True, steps) | np.append(steps, True)
    return x[kept], y[kept]


def histogram_figure(
    prefix: str, description: str, scores: np.ndarray, labels: np.ndarray, threshold: float
) -> Markup:
    """Scores of same-person and different-person trials, each as shares of its kind."""

    def paint(axes: Axes) -> None:
        bins = int(np.clip(len(scores) ** 0.5, 10, 32))
        edges = np.histogram_bin_edges(scores, bins)
        for label, colour in ((0, DIFFERENT), (1, SAME)):
            counts, _ = np.histogram(scores[labels == label], edges)
            shares = 100 * counts / counts.sum()
            axes.stairs(shares, edges, fill=True, color=colour, alpha=0.28)
            axes.stairs(shares, edges, color=colour, linewidth=1.5)
        axes.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("← one person · score · different people →")
        axes.set_ylabel("share of trials, %")

    return _inline_svg(prefix, description, paint)


def loss_figure(prefix: str, description: str, log: pd.DataFrame, terms: Sequence[str]) -> Markup:
    """Training loss and its terms against the epoch; thin lines are single members, thick ones their mean."""

    def paint(axes: Axes) -> None:
        for term, colour in zip(terms, (INK, *TERMS), strict=False):
            _paint_members(axes, log, term, colour, 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss")

    return _inline_svg(prefix, description, paint)


def validation_figure(
    prefix: str, description: str, log: pd.DataFrame, colour: str, kept: Sequence[tuple[float, float]]
) -> Markup:
    """Equal error rate on the validation identities against the epoch.

    kept: (epoch, mean rate) of the weights that were kept, marked with a dot; empty when unknown.
    """

    def paint(axes: Axes) -> None:
        _paint_members(axes, log, "validation_eer", colour, 100.0)
        for epoch, rate in kept:
            axes.plot([epoch], [100 * rate], "o", color=colour, markersize=6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("validation EER, %")

    return _inline_svg(prefix, description, paint)


def _paint_members(axes: Axes, log: pd.DataFrame, column: str, colour: str, factor: float) -> None:
    members = [member for _, member in log.groupby("member", sort=True)]
    if len(members) > 1:
        for member in members:
            axes.plot(member["epoch"], factor * member[column], color=colour, linewidth=0.8, alpha=0.5)
    mean = log.groupby("epoch", sort=True)[column].mean()
    axes.plot(mean.index, factor * mean, color=colour, linewidth=1.9)


def _inline_svg(
    prefix: str,
    description: str,
    paint: Callable[[Axes], None],
    size_inches: tuple[float, float] = _SIZE_INCHES,
) -> Markup:
    """Draw one plot. prefix: unique on the page, put before every id. description: the alternative text."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": prefix}):
        width, height = size_inches
        figure = Figure(figsize=size_inches)
        axes = figure.add_axes(
            (_LEFT / width, _BOTTOM / height, 1 - (_LEFT + 0.08) / width, 1 - (_BOTTOM + 0.1) / height)
        )
        axes.tick_params(length=0)
        paint(axes)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    body = buffer.getvalue().partition("<svg")[2].partition(">")
    box = re.search(r'viewBox="[^"]+"', body[0])
    assert box is not None, "matplotlib gives every SVG a viewBox"
    drawing = re.sub(r"<metadata>.*?</metadata>", "", body[2], flags=re.DOTALL)
    drawing = re.sub(r'\bid="', f'id="{prefix}-', drawing)
    drawing = re.sub(r'href="#', f'href="#{prefix}-', drawing).replace("url(#", f"url(#{prefix}-")
    for stand_in, css in CSS_COLOURS.items():
        drawing = drawing.replace(stand_in, css)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img"'
    return Markup(f'{opening} aria-label="{escape(description)}">{drawing}')
