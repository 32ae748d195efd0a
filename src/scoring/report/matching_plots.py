"""The section on matching: which of N faces belongs to a voice, and the other way, for N = 2 … 10."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from src.artifacts.sources import Modality
from src.core.seeding import random_stream
from src.metrics.bootstrap import IdentityDraws, Interval, bootstrap_mean, percentile_interval
from src.metrics.matching import (
    LARGEST_GALLERY,
    SMALLEST_GALLERY,
    MatchingAccuracy,
    matching_by_gallery_size,
)
from src.scoring.cells import Cell
from src.scoring.evaluation_table import percent
from src.scoring.report.cell_names import CellStyles, cell_column, list_title
from src.scoring.report.inline_svg import DOTTED, LIMIT, Line, Plot, inline_svg
from src.scoring.report.model_view import ModelView, media_of_people
from src.scoring.report.sources import Absent, ReportData

MOST_QUESTIONS = 500
_DIRECTIONS: tuple[tuple[Modality, Modality, str], ...] = (
    ("voice", "face", "voice → face"),
    ("face", "voice", "face → voice"),
)


@dataclass(frozen=True)
class Questions:
    """Keys: probes (questions,), candidates (questions, N), the true one first. people: (questions,), of the probes."""

    probes: np.ndarray
    candidates: np.ndarray
    people: np.ndarray


@dataclass(frozen=True)
class MatchingRow:
    """One cell and direction. accuracies: by N. spread: interval at the smallest N, None where it cannot be had."""

    title: str
    direction: str
    questions: int
    accuracies: dict[int, float]
    spread: Interval | None


@dataclass(frozen=True)
class MatchingSection:
    """A plot and the rows of a table for each direction. sizes: the numbers of candidates."""

    plots: list[Plot]
    rows: list[MatchingRow]
    sizes: list[int]


def matching_section(
    data: ReportData, views: Mapping[str, ModelView] | Absent, replicates: int
) -> MatchingSection | Absent:
    """Ask each model about the media of each of its test lists."""
    if isinstance(views, Absent):
        return views
    styles = CellStyles(data.cells)
    rows: dict[str, list[tuple[Cell, MatchingRow]]] = {direction: [] for *_, direction in _DIRECTIONS}
    for cell in data.cells:
        view = views[cell.training_language]
        media = media_of_people(data, cell, view)
        if isinstance(media, Absent):
            return media
        for probe_side, candidate_side, direction in _DIRECTIONS:
            questions = draw_questions(media[probe_side], media[candidate_side], cell.test_language)
            if questions is None:
                return Absent(
                    f"The {cell.test_language} test has fewer than two people with a voice and a face each."
                )
            found = _asked(view, questions, probe_side)
            rows[direction].append((cell, _row(cell, direction, questions, found, replicates)))
    plots = [
        _plot(number, direction, found, styles) for number, (direction, found) in enumerate(rows.items())
    ]
    flat = [row for found in rows.values() for _, row in found]
    return MatchingSection(plots, flat, sorted({size for row in flat for size in row.accuracies}))


def draw_questions(probes: pd.Series, candidates: pd.Series, *names: str) -> Questions | None:
    """Questions over media whose people are known (identity by key), at most MOST_QUESTIONS, seeded by `names`.

    Each probe's candidates are one medium of its own person and one each of N − 1 others, N as large as there are
    people, at most 10. None where there are fewer than two people.
    """
    of_person = {person: keys.index.to_numpy(object) for person, keys in candidates.groupby(candidates)}
    people = sorted(of_person)
    asked = probes[probes.isin(people)]
    if len(people) < SMALLEST_GALLERY or asked.empty:
        return None
    stream = random_stream("report", "matching", *names)
    if len(asked) > MOST_QUESTIONS:
        asked = asked.iloc[np.sort(stream.choice(len(asked), MOST_QUESTIONS, replace=False))]
    size = min(LARGEST_GALLERY, len(people))
    rows = []
    for person in asked:
        others = [other for other in people if other != person]
        drawn = [person, *stream.choice(np.array(others, object), size - 1, replace=False)]
        rows.append([stream.choice(of_person[one]) for one in drawn])
    return Questions(asked.index.to_numpy(object), np.array(rows, object), asked.to_numpy(object))


def _asked(view: ModelView, questions: Questions, probe_side: Modality) -> dict[int, MatchingAccuracy]:
    probes = np.broadcast_to(questions.probes[:, None], questions.candidates.shape)
    voices, faces = (
        (probes, questions.candidates) if probe_side == "voice" else (questions.candidates, probes)
    )
    return matching_by_gallery_size(view.scores(voices, faces))


def _row(
    cell: Cell,
    direction: str,
    questions: Questions,
    found: Mapping[int, MatchingAccuracy],
    replicates: int,
) -> MatchingRow:
    draws = IdentityDraws.of(questions.people, replicates=replicates)
    smallest = bootstrap_mean(draws, found[SMALLEST_GALLERY].correct, questions.people)
    return MatchingRow(
        cell_column(cell),
        direction,
        len(questions.probes),
        {size: one.mean for size, one in found.items()},
        percentile_interval(smallest),
    )


def _plot(number: int, direction: str, rows: list[tuple[Cell, MatchingRow]], styles: CellStyles) -> Plot:
    key = [
        (
            styles.css_class(cell),
            f"{cell.training_language} model, {list_title(cell)} test ({cell.condition})",
        )
        for cell, _ in rows
    ]
    told = [
        f"{cell.training_language} model on {list_title(cell)} from {percent(row.accuracies[min(row.accuracies)])} "
        f"of {min(row.accuracies)} to {percent(row.accuracies[max(row.accuracies)])} of {max(row.accuracies)}"
        for cell, row in rows
    ]
    text = f"Matching accuracy, {direction}, against the number of candidates: {'; '.join(told)}."
    svg = _figure(f"matching{number}", text, rows, styles)
    return Plot(f"{direction[0].upper()}{direction[1:]}", svg, [*key, ("line limit", "by chance, 1 / N")])


def _figure(
    prefix: str, description: str, rows: list[tuple[Cell, MatchingRow]], styles: CellStyles
) -> Markup:
    sizes = np.array(sorted(rows[0][1].accuracies))

    def paint(axes: Axes) -> None:
        Line(sizes, 100 / sizes, LIMIT, DOTTED).paint(axes)
        for cell, row in rows:
            found = [100 * row.accuracies[size] for size in row.accuracies]
            Line(list(row.accuracies), found, styles.colour(cell), styles.line(cell), "o").paint(axes)
        axes.set(ylim=(0, 100))
        axes.set_xticks(sizes)
        axes.set_xlabel("candidates, N")
        axes.set_ylabel("right, %")

    return inline_svg(prefix, description, paint)
