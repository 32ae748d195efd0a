"""Plots as SVG that stands inside the page and takes its colours from the page's style.

Matplotlib draws with stand-in colours, one a role; they are replaced by CSS variables, so that a plot follows
the page between light and dark. Text stays text: it scales, can be searched, and takes the page's font.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
MODEL_COLOURS = (FIRST_MODEL, SECOND_MODEL)

LineStyle = str | tuple[int, tuple[int, ...]]  # a name, or (offset, (drawn, blank, …)) in line widths
SOLID: LineStyle = "-"
DASHED: LineStyle = (0, (5, 2))
DOTTED: LineStyle = ":"

WIDE_INCHES, SQUARE_INCHES = (4.1, 2.9), (4.1, 3.7)
_LEFT, _BOTTOM = 0.6, 0.5  # inches that tick labels and titles of the axes take
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10.5,
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


@dataclass(frozen=True)
class Plot:
    """A drawing, what it shows, and its key: (CSS class, text) pairs."""

    title: str
    svg: Markup
    key: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Line:
    """A line of a plot: x and y (points,), its colour and style; marker: of each point, "" for none."""

    x: Any
    y: Any
    colour: str
    style: LineStyle = SOLID
    marker: str = ""

    def paint(self, axes: Axes) -> None:
        """Draw it."""
        axes.plot(
            *(self.x, self.y),
            color=self.colour,
            linestyle=self.style,
            linewidth=1.8,
            marker=self.marker or None,
            markersize=4,
        )


def inline_svg(
    prefix: str,
    description: str,
    paint: Callable[[Axes], None],
    size_inches: tuple[float, float] = WIDE_INCHES,
) -> Markup:
    """Draw one plot. prefix: unique on the page, put before every id. description: the alternative text."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": prefix}):
        width, height = size_inches
        figure = Figure(figsize=size_inches)
        axes = figure.add_axes(
            (_LEFT / width, _BOTTOM / height, 1 - (_LEFT + 0.16) / width, 1 - (_BOTTOM + 0.1) / height)
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
