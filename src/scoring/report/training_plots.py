"""The section on training: every loss term and the validation error of each model against the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from src.scoring.evaluation_table import percent
from src.scoring.report.inline_svg import (
    DASHED,
    DOTTED,
    INK,
    MODEL_COLOURS,
    SOLID,
    TERMS,
    LineStyle,
    Plot,
    inline_svg,
)
from src.scoring.report.sources import Model

_STYLES: tuple[LineStyle, ...] = (SOLID, DASHED, DOTTED)
_LOGARITHMIC_FROM = 20.0  # times the lowest loss, where a linear axis would flatten the low terms


@dataclass(frozen=True)
class TrainingPlots:
    """Training curves of one model; empty where there is no log."""

    language: str
    plots: list[Plot] = field(default_factory=list)


def training_plots(place: int, model: Model) -> TrainingPlots:
    """Loss terms and validation error of one model. place: 0 or 1, which model it is."""
    log = model.log
    if log is None or log.empty:
        return TrainingPlots(model.language)
    log = log if "member" in log.columns else log.assign(member=0)
    plots = []
    terms = [name for name in ("loss", *sorted(set(log.columns) - {"loss"})) if name.endswith("loss")]
    terms = [name for name in terms if name in log.columns and log[name].notna().any()]
    if terms:
        plots.append(_loss_plot(place, model.language, log, terms))
    if "validation_eer" in log.columns:
        plots.append(_validation_plot(place, model.language, log, model.checkpoint.metrics.get("epoch")))
    return TrainingPlots(model.language, plots)


def _loss_plot(place: int, language: str, log: pd.DataFrame, terms: Sequence[str]) -> Plot:
    names = {term: "weighted sum" if term == "loss" else term.replace("_", " ") for term in terms}
    means = log.groupby("epoch", sort=True)[list(terms)].mean()
    changes = ", ".join(
        f"{name} from {means[term].iloc[0]:.3g} to {means[term].iloc[-1]:.3g}" for term, name in names.items()
    )
    text = f"Training losses of the {language} model over {len(means)} epochs: {changes}."
    key = [(_term_class(number), name) for number, name in enumerate(names.values())]
    return Plot("Loss terms", _loss_figure(f"loss{place}", text, log, list(names)), key)


def _validation_plot(place: int, language: str, log: pd.DataFrame, kept_epoch: int | None) -> Plot:
    mean = log.groupby("epoch", sort=True)["validation_eer"].mean()
    kept = (
        [(float(kept_epoch), float(mean[kept_epoch]))]
        if kept_epoch is not None and kept_epoch in mean.index
        else []
    )
    told = "".join(f"; {percent(rate)} at the kept epoch {epoch:g}" for epoch, rate in kept)
    text = (
        f"Validation error of the {language} model against the epoch: {percent(mean.iloc[0])} at first, "
        f"{percent(mean.min())} at its lowest{told}."
    )
    svg = _validation_figure(f"validation{place}", text, log, MODEL_COLOURS[place], kept)
    return Plot("Error on validation identities", svg)


def _loss_figure(prefix: str, description: str, log: pd.DataFrame, terms: Sequence[str]) -> Markup:
    """Thin lines are single members, thick ones their mean."""

    def paint(axes: Axes) -> None:
        for number, term in enumerate(terms):
            _paint_members(axes, log, term, *_term_style(number))
        values = log[list(terms)].to_numpy()
        values = values[np.isfinite(values)]
        logarithmic = values.min() > 0 and values.max() > _LOGARITHMIC_FROM * values.min()
        if logarithmic:
            axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss, log scale" if logarithmic else "training loss")

    return inline_svg(prefix, description, paint)


def _validation_figure(
    prefix: str, description: str, log: pd.DataFrame, colour: str, kept: Sequence[tuple[float, float]]
) -> Markup:
    """kept: (epoch, mean rate) of the weights that were kept, marked with a dot; empty when unknown."""

    def paint(axes: Axes) -> None:
        _paint_members(axes, log.assign(percent=100 * log["validation_eer"]), "percent", colour, SOLID)
        for epoch, rate in kept:
            axes.plot([epoch], [100 * rate], "o", color=colour, markersize=6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("validation EER, %")

    return inline_svg(prefix, description, paint)


def _paint_members(axes: Axes, log: pd.DataFrame, column: str, colour: str, style: LineStyle) -> None:
    members = [member for _, member in log.groupby("member", sort=True)]
    if len(members) > 1:
        for member in members:
            axes.plot(member["epoch"], member[column], color=colour, linewidth=0.8, alpha=0.5)
    mean = log.groupby("epoch", sort=True)[column].mean()
    axes.plot(mean.index, mean, color=colour, linewidth=1.9, linestyle=style)


def _term_style(number: int) -> tuple[str, LineStyle]:
    """The sum in ink, then four colours, then the same with dashes, then with dots."""
    if number == 0:
        return INK, SOLID
    return TERMS[(number - 1) % len(TERMS)], _STYLES[(number - 1) // len(TERMS) % len(_STYLES)]


def _term_class(number: int) -> str:
    if number == 0:
        return "line term-0"
    style = ("solid", "dashed", "dotted")[(number - 1) // len(TERMS) % len(_STYLES)]
    return f"line term-{(number - 1) % len(TERMS) + 1} {style}"
