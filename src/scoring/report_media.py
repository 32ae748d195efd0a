"""The hardest trials of each cell, with the face to look at and the voice to listen to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trials import Trial
from src.core.errors import DatasetError
from src.core.files import path_below
from src.core.stage import DONE, read_parts
from src.media.audio import SAMPLE_RATE_HZ
from src.media.guarded import read_audio, read_image
from src.media.inline import audio_data_address, image_data_address
from src.scoring.evaluation import equal_error_threshold
from src.scoring.trial_keys import resolve_key
from src.scoring.truth import BAYES_RATIO, SAME_SEX

TRIALS_OF_EACH_KIND = 3
EXCERPT_SECONDS = 5.0
FACE_PIXELS = 160


@dataclass(frozen=True, kw_only=True)
class HardTrial:
    """A trial that was judged wrongly, ready to be shown.

    genuine: whether voice and face are one person. beyond: share of the list's trials that were scored as
    more alike (one person), or as less alike (different people); near 1 for the worst errors.
    same_sex, likelihood_ratio: from the truth, None where it does not say.
    face, voice: `data:` addresses of the crop and of the first seconds of the cleaned speech.
    """

    trial_id: str
    genuine: bool
    score: float
    beyond: float
    same_sex: bool | None
    likelihood_ratio: float | None
    face: str
    voice: str


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


def hardest_trials(
    trials: pd.DataFrame, paths: Mapping[str, Trial], media: ProcessedMedia, *, genuine: bool
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
        name = str(trial_id)
        voice, face = media.path("voice", paths[name].voice), media.path("face", paths[name].face)
        if voice is None or face is None or shown & {voice, face}:
            continue
        shown |= {voice, face}
        chosen.append(
            HardTrial(
                trial_id=name,
                genuine=genuine,
                score=float(row["score"]),
                beyond=float(ranks[name]) if genuine else 1 - float(ranks[name]),
                same_sex=bool(row[SAME_SEX]) if SAME_SEX in row else None,
                likelihood_ratio=float(row[BAYES_RATIO]) if BAYES_RATIO in row else None,
                face=image_data_address(read_image(face), FACE_PIXELS),
                voice=_excerpt(voice),
            )
        )
        if len(chosen) == TRIALS_OF_EACH_KIND:
            break
    return chosen


def _excerpt(path: Path) -> str:
    samples = read_audio(path)[: int(EXCERPT_SECONDS * SAMPLE_RATE_HZ)]
    return audio_data_address(samples, SAMPLE_RATE_HZ)
