"""The hardest trials of each cell: the face to look at, the voice to listen to, and what attention looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trials import Trial
from src.core.errors import DatasetError
from src.core.files import path_below
from src.core.stage import DONE, read_parts
from src.media.guarded import read_audio, read_image
from src.media.inline import image_data_address
from src.scoring.evaluation import equal_error_threshold
from src.scoring.report.cell_names import cell_title
from src.scoring.report.model_view import ModelView
from src.scoring.report.sources import Absent, ReportData
from src.scoring.report.voice_excerpt import VoiceExcerpt, voice_attention, voice_excerpt
from src.scoring.trial_keys import resolve_key
from src.scoring.truth import BAYES_RATIO, SAME_SEX

TRIALS_OF_EACH_KIND = 3
FACE_PIXELS = 160


@dataclass(frozen=True, kw_only=True)
class HardTrial:
    """A trial that was judged wrongly, ready to be shown.

    media: its voice and face, as the list names them. genuine: whether they are one person.
    beyond: share of the list's trials that were scored as more alike (one person), or as less alike (different people);
    near 1 for the worst errors.
    same_sex, likelihood_ratio: from the truth, None where it does not say.
    face: `data:` address of the crop.
    """

    media: Trial
    genuine: bool
    score: float
    beyond: float
    same_sex: bool | None
    likelihood_ratio: float | None
    face: str
    voice: VoiceExcerpt


@dataclass(frozen=True)
class HardestOfCell:
    """missed: one person, scored as different people. confused: different people, scored as one person."""

    title: str
    missed: list[HardTrial]
    confused: list[HardTrial]


@dataclass(frozen=True)
class HardestSection:
    """attention: whether the models attend, None where they could not be asked, with the reason in `unasked`."""

    cells: list[HardestOfCell]
    attends: bool
    unasked: Absent | None


class ProcessedMedia:
    """What preprocessing made of each source: cleaned speech and face crops of a work folder."""

    def __init__(self, work: Path) -> None:
        """Read the manifests of `work`. Raises DatasetError when it is not a work folder."""
        self._work = work
        self._outputs: dict[Modality, dict[str, str]] = {}
        for modality in MODALITIES:
            try:
                table = read_parts(work / modality / "manifest", ["key", "status", "output"])
            except FileNotFoundError as error:
                raise DatasetError(
                    f"{work}: not a work folder (no {modality}/manifest). Make one: python -m preprocessing DATASET --out WORK"
                ) from error
            rows = zip(*table.to_pydict().values(), strict=True)
            self._outputs[modality] = {key: output for key, status, output in rows if status == DONE}

    def path(self, modality: Modality, listed: str) -> Path | None:
        """The clean file of a path as lists give it; None where there is none."""
        outputs = self._outputs[modality]
        output = outputs.get(resolve_key(listed, modality, outputs))
        return None if output is None else path_below(self._work, output)


def hardest_section(
    data: ReportData, work: Path | None, views: Mapping[str, ModelView] | Absent
) -> HardestSection | Absent:
    """The worst errors of each cell, with their media."""
    if work is None or data.lists is None:
        return Absent(
            "The report was written without the media of the trials.",
            "Give --dataset DATASET and --work WORK, the folder of preprocessing.",
        )
    media = ProcessedMedia(work)
    cells = []
    for cell, frame in data.cells.items():
        view = None if isinstance(views, Absent) else views[cell.training_language]
        kinds = [
            hardest_trials(frame, data.lists[cell], media, view, genuine=genuine) for genuine in (True, False)
        ]
        cells.append(HardestOfCell(cell_title(cell), *kinds))
    shown = [trial for cell in cells for trial in (*cell.missed, *cell.confused)]
    return HardestSection(
        cells,
        attends=any(trial.voice.attention is not None for trial in shown),
        unasked=views if isinstance(views, Absent) else None,
    )


def hardest_trials(
    trials: pd.DataFrame,
    paths: Mapping[str, Trial],
    media: ProcessedMedia,
    view: ModelView | None,
    *,
    genuine: bool,
) -> list[HardTrial]:
    """The worst errors of one kind at the threshold of the equal error rate, each with another voice and face.

    trials: a cell's frame (index trial_id; score, label, …). paths: trial id → its media.
    genuine: the same-person trials with the highest scores, else the different-person ones with the lowest.
    """
    judged_same = trials["score"] <= equal_error_threshold(trials)
    errors = trials[(trials["label"] == int(genuine)) & (judged_same != genuine)]
    errors = errors.sort_values("score", ascending=not genuine, kind="stable")
    ranks = trials["score"].rank(pct=True)
    chosen: list[HardTrial] = []
    shown: set[Path] = set()
    for trial_id, row in errors.iterrows():
        trial = paths[str(trial_id)]
        voice, face = media.path("voice", trial.voice), media.path("face", trial.face)
        if voice is None or face is None or shown & {voice, face}:
            continue
        shown |= {voice, face}
        rank = float(ranks[str(trial_id)])
        chosen.append(
            HardTrial(
                media=trial,
                genuine=genuine,
                score=float(row["score"]),
                beyond=rank if genuine else 1 - rank,
                same_sex=bool(row[SAME_SEX]) if SAME_SEX in row else None,
                likelihood_ratio=float(row[BAYES_RATIO]) if BAYES_RATIO in row else None,
                face=image_data_address(read_image(face), FACE_PIXELS),
                voice=_voice(voice, trial, view),
            )
        )
        if len(chosen) == TRIALS_OF_EACH_KIND:
            break
    return chosen


def _voice(path: Path, trial: Trial, view: ModelView | None) -> VoiceExcerpt:
    samples = read_audio(path)
    attention = None
    if view is not None:
        voice, face = view.key(trial.voice, "voice"), view.key(trial.face, "face")
        if voice is not None and face is not None:
            attention = voice_attention(view, voice, face, len(samples))
    return voice_excerpt(samples, attention)
