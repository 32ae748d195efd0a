"""Drawings over scored trials: DET and ROC curves, score histograms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from scipy.special import ndtri

from src.metrics.verification import RocCurve, equal_error_rate_of, roc_curve
from src.scoring.report.inline_svg import DIFFERENT, INK, RULE, SAME, SQUARE_INCHES, LineStyle, inline_svg

_DET_TICKS_PERCENT = np.array([1, 2, 5, 10, 20, 40, 60, 80])
_DET_LIMITS = ndtri(np.array([0.007, 0.90]))


@dataclass(frozen=True)
class ScoredCurve:
    """Scored trials to draw as one curve: lower score = same person, label 1 = same."""

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
            x = ndtri(roc.false_accept_rates).clip(-4, 4)
            y = ndtri(roc.false_reject_rates).clip(-4, 4)
            _paint_curve(axes, curve, x, y, grain=0.01)
            rate = ndtri(equal_error_rate_of(roc))
            axes.plot([rate], [rate], "o", color=curve.colour, markersize=5)
        places = ndtri(_DET_TICKS_PERCENT / 100)
        axes.set_xticks(places, [f"{tick}" for tick in _DET_TICKS_PERCENT])
        axes.set_yticks(places, [f"{tick}" for tick in _DET_TICKS_PERCENT])
        axes.set(xlim=_DET_LIMITS, ylim=_DET_LIMITS)
        axes.set_xlabel("different people accepted, %")
        axes.set_ylabel("same person rejected, %")

    return inline_svg(prefix, description, paint, SQUARE_INCHES)


def roc_figure(prefix: str, description: str, curves: Sequence[ScoredCurve]) -> Markup:
    """ROC curves; dots mark equal error rates, the diagonal is chance."""

    def paint(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=RULE, linewidth=0.8)
        for curve in curves:
            roc: RocCurve = roc_curve(curve.scores, curve.labels)
            _paint_curve(axes, curve, 100 * roc.false_accept_rates, 100 * roc.true_accept_rates, grain=0.25)
            rate = 100 * equal_error_rate_of(roc)
            axes.plot([rate], [100 - rate], "o", color=curve.colour, markersize=5)
        axes.set(xlim=(0, 100), ylim=(0, 100.5))
        axes.set_xlabel("different people accepted, %")
        axes.set_ylabel("same person accepted, %")

    return inline_svg(prefix, description, paint, SQUARE_INCHES)


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

    return inline_svg(prefix, description, paint)


def _paint_curve(axes: Axes, curve: ScoredCurve, x: np.ndarray, y: np.ndarray, grain: float) -> None:
    """Draw the points that the eye can tell apart: millions of trials become some hundred."""
    cells = np.stack([x, y]) // grain
    steps = np.diff(cells, axis=1).any(axis=0)
    kept = np.append(True, steps) | np.append(steps, True)
    axes.plot(x[kept], y[kept], color=curve.colour, linestyle=curve.line, linewidth=1.8)
