"""The section with the map: voices and faces of some test people in the space that a model puts them in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from src.artifacts.sources import MODALITIES, Modality
from src.core.seeding import random_stream
from src.scoring.report.inline_svg import DIFFERENT, INK, MUTED, SAME, SQUARE_INCHES, Plot, inline_svg
from src.scoring.report.model_view import ModelView, media_of_people
from src.scoring.report.sources import Absent, ReportData

PEOPLE_SHOWN = 10
MEDIA_SHOWN = 6  # of a person and modality
_SHAPES: dict[Modality, tuple[str, str]] = {"voice": ("o", SAME), "face": ("^", DIFFERENT)}
KEY = (("mark voice", "voice"), ("mark face", "face"), ("line join", "voices and faces of one person"))


@dataclass(frozen=True)
class Projection:
    """Two dimensions of many. points: (items, 2). held: share of the variance that they hold, 0 to 1."""

    points: np.ndarray
    held: float


@dataclass(frozen=True)
class SpaceMap:
    """The map of one model, or why there is none.

    same_cosine, different_cosine: mean over pairs of the shown voices and faces, in the whole space.
    """

    language: str
    content: Plot | Absent
    dimensions: int = 0
    held: float = 0.0
    same_cosine: float = 0.0
    different_cosine: float = 0.0


def space_maps(data: ReportData, views: Mapping[str, ModelView] | Absent) -> list[SpaceMap] | Absent:
    """A map of each model, of people in the test of its own language."""
    if isinstance(views, Absent):
        return views
    heard = {cell.training_language: cell for cell in reversed(data.cells) if cell.condition == "heard"}
    maps = []
    for place, language in enumerate(data.languages):
        media = media_of_people(data, heard[language], views[language])
        if isinstance(media, Absent):
            return media
        maps.append(_map(place, language, views[language], media))
    return maps


def project(points: np.ndarray) -> Projection:
    """The two principal directions of centred points (items, d ≥ 2); the largest loading of each is positive."""
    _, spread, directions = np.linalg.svd(points, full_matrices=False)
    largest = np.abs(directions[:2]).argmax(axis=1)
    directions = directions[:2] * np.sign(directions[[0, 1], largest])[:, None]
    return Projection(points @ directions.T, float((spread[:2] ** 2).sum() / (spread**2).sum()))


def _map(place: int, language: str, view: ModelView, media: Mapping[Modality, pd.Series]) -> SpaceMap:
    chosen = _chosen(media, language)
    if len(chosen["voice"]) < 3 or len(chosen["face"]) < 3:
        return SpaceMap(language, Absent("Too few people of the test have a voice and a face."))
    points = {modality: view.points(modality, chosen[modality].index) for modality in MODALITIES}
    voices, faces = points["voice"], points["face"]
    if voices is None or faces is None:
        return SpaceMap(
            language,
            Absent(
                "This model compares a voice and a face pair by pair; it has no space in which both are points."
            ),
        )
    centred = np.concatenate([voices - voices.mean(axis=0), faces - faces.mean(axis=0)])
    projection = project(centred)
    cosines = voices @ faces.T
    same = chosen["voice"].to_numpy()[:, None] == chosen["face"].to_numpy()[None]
    means = float(cosines[same].mean()), float(cosines[~same].mean())
    text = (
        f"Map of the space of the {language} model: voices and faces of {chosen['voice'].nunique()} test people, "
        f"each person's joined by a line. Mean cosine of a voice and a face of one person {means[0]:.2f}, of different "
        f"people {means[1]:.2f}."
    )
    plot = _plot(place, language, text, projection.points, chosen)
    return SpaceMap(language, plot, voices.shape[1], projection.held, *means)


def _chosen(media: Mapping[Modality, pd.Series], language: str) -> dict[Modality, pd.Series]:
    """Some media of some people who have both, seeded; identity by key."""
    both = sorted(set(media["voice"]) & set(media["face"]))
    stream = random_stream("report", "map", language)
    drawn = stream.permutation(len(both))[:PEOPLE_SHOWN]
    people = {both[row] for row in drawn}
    return {
        modality: found[found.isin(people)].groupby(found[found.isin(people)]).head(MEDIA_SHOWN)
        for modality, found in media.items()
    }


def _plot(
    place: int, language: str, text: str, points: np.ndarray, chosen: Mapping[Modality, pd.Series]
) -> Plot:
    positions = dict(
        zip(MODALITIES, np.split(points, [len(chosen[MODALITIES[0]])]), strict=True)
    )  # in the order in which they were put together
    people = sorted(set(chosen["voice"]))

    def paint(axes: Axes) -> None:
        for number, person in enumerate(people, 1):
            centres = {}
            for modality, (shape, colour) in _SHAPES.items():
                own = positions[modality][(chosen[modality] == person).to_numpy()]
                centres[modality] = centre = own.mean(axis=0)
                for point in own:
                    axes.plot(*zip(centre, point, strict=True), color=colour, linewidth=0.6, alpha=0.5)
                axes.plot(*own.T, shape, color=colour, markersize=3.5, alpha=0.6)
                axes.plot(*centre, shape, color=colour, markersize=7)
            axes.plot(*zip(centres["voice"], centres["face"], strict=True), color=INK, linewidth=1.2)
            axes.annotate(
                *(f"{number}", centres["face"]), xytext=(5, 4), textcoords="offset points", color=INK
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("first direction", color=MUTED)
        axes.set_ylabel("second direction", color=MUTED)
        axes.margins(0.08)

    svg = inline_svg(f"map{place}", text, paint, SQUARE_INCHES)
    return Plot(f"Space of the model trained on {language}", svg, KEY)
