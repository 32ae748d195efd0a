"""Score trials with a trained association model over embedding stores."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from src.artifacts.checkpoints import Checkpoint, load_checkpoint, load_weights
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.scores import ScoreColumns
from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trial_table import TrialTable
from src.artifacts.trials import Trial
from src.core.errors import CheckpointError, ListError, StoreError
from src.core.polarity import score_from_similarity
from src.models.association import AssociationModel
from src.models.pair_scoring import pair_similarities
from src.models.registry import build_model
from src.models.tokens import TokenRuns
from src.scoring.trial_keys import UNKNOWN_MEDIA, failure_reasons, refuse_climbing_paths, resolve_key

UnscorablePolicy = Literal["error", "median"]
RECIPE = "association"
# What must be the same in training and in scoring, or a vector means something else; and what may differ
# unsaid. A difference in anything else (how media were cleaned, how windows were cut) is warned of.
DECISIVE_KEYS = ("dimension", "encoder", "weights_sha256")
INFORMATIVE_KEYS = ("format", "version", "counts", "weights_source")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnscorableTrial:
    """A trial with a medium that has no embedding: its key and the manifest's reason."""

    trial_id: str
    key: str
    reason: str


@dataclass(frozen=True)
class ScoredTrials:
    """Scores of a list in list order (lower = same person), and the trials that got the median score."""

    scores: dict[str, float]
    unscorable: list[UnscorableTrial]

    def counts(self) -> str:
        """How many trials there are, and how many got the median score, for people."""
        return _counts(len(self.scores), self.unscorable)


@dataclass(frozen=True)
class ScoredTable:
    """The same in columns, for lists of any length."""

    columns: ScoreColumns
    unscorable: list[UnscorableTrial]

    def counts(self) -> str:
        """How many trials there are, and how many got the median score, for people."""
        return _counts(len(self.columns), self.unscorable)


@dataclass(frozen=True)
class FeatureStores:
    """The embeddings of both modalities of a work folder; `features` is WORK/features."""

    features: Path
    voice: EmbeddingStore
    face: EmbeddingStore

    @classmethod
    def open(cls, features: Path) -> "FeatureStores":
        """Open WORK/features. Raises StoreError when a store is missing or unusable."""
        return cls(features, EmbeddingStore.open(features / "voice"), EmbeddingStore.open(features / "face"))

    def of(self, modality: Modality) -> EmbeddingStore:
        """The store of one modality."""
        return self.voice if modality == "voice" else self.face


@dataclass(frozen=True)
class TrialScorer:
    """A trained model on its device, with the embeddings that it scores."""

    model: AssociationModel
    stores: FeatureStores
    device: torch.device

    @classmethod
    def load(
        cls, folder: Path, stores: FeatureStores, device: torch.device, language: str | None = None
    ) -> "TrialScorer":
        """Rebuild the model of a checkpoint folder.

        language: the language that it must have been trained on, where that matters.
        Raises CheckpointError when the folder holds no association model, was trained on another language,
        or on embeddings of other encoders than those of `stores`.
        """
        checkpoint = load_checkpoint(folder)
        refuse_other_recipe(checkpoint, language)
        refuse_other_encoders(checkpoint, stores)
        model = build_model(checkpoint.config["model"])
        load_weights(model, checkpoint)
        return cls(model.eval().to(device), stores, device)

    def score(
        self, trials: Sequence[Trial], source: str, unscorable: UnscorablePolicy = "error"
    ) -> ScoredTrials:
        """Score every trial; see `score_table`."""
        if not trials:
            raise ListError(f"{source}: holds no trial")
        scored = self.score_table(TrialTable.of(trials), source, unscorable)
        return ScoredTrials(scored.columns.by_id(), scored.unscorable)

    def score_table(
        self, trials: TrialTable, source: str, unscorable: UnscorablePolicy = "error"
    ) -> ScoredTable:
        """Score every trial; each distinct voice and face is gathered and encoded once.

        source: what errors call the list. unscorable: what becomes of a trial with a medium that has no
        embedding: an error, or the median score of the others.
        Raises ListError for an empty list and paths that leave the data set, StoreError that lists the media
        without embedding.
        """
        if len(trials) == 0:
            raise ListError(f"{source}: holds no trial")
        refuse_climbing_paths(trials, source)
        media = {modality: _resolved(trials, modality, self.stores) for modality in MODALITIES}
        lost = [trial for found in media.values() for trial in found.lost]
        if lost and unscorable == "error":
            raise StoreError(_lost_message(lost, len(trials), source))
        scorable = np.logical_and(*(found.held[found.trial_rows] for found in media.values()))
        if not scorable.any():
            raise StoreError(f"{source}: not one of {len(trials)} trials can be scored. {_lost_lines(lost)}")
        scores = np.empty(len(trials))
        scores[scorable] = score_from_similarity(
            self.similarities(
                *(found.places[found.trial_rows[scorable]] for found in media.values()),
            )
        )
        scores[~scorable] = np.median(scores[scorable])
        if not np.isfinite(scores).all():
            raise CheckpointError(
                f"{source}: the model gives {int((~np.isfinite(scores)).sum())} scores that are not finite; train it anew"
            )
        if lost:
            logger.warning("%s", _median_message(lost, int((~scorable).sum()), len(trials), source))
        return ScoredTable(ScoreColumns(trials.trial_ids, scores), lost)

    def similarities(self, voice_places: np.ndarray, face_places: np.ndarray) -> np.ndarray:
        """Similarity of each pair, float64 (pairs,), of items of the stores by their places; higher = same person."""
        voices, voice_rows = self._runs("voice", voice_places)
        faces, face_rows = self._runs("face", face_places)
        return pair_similarities(self.model, voices, faces, voice_rows, face_rows)

    def runs(self, modality: Modality, places: np.ndarray) -> TokenRuns:
        """The tokens of the store's items at `places`, where they stand."""
        items = self.stores.of(modality).items
        first, count = (items[name].to_numpy()[places] for name in ("first", "count"))
        return TokenRuns(self.stores.of(modality).vectors, first, count, self.device)

    def _runs(self, modality: Modality, places: np.ndarray) -> tuple[TokenRuns, np.ndarray]:
        """The distinct items, and which of them stands at each of `places`."""
        used = np.zeros(len(self.stores.of(modality).items), bool)
        used[places] = True
        return self.runs(modality, np.flatnonzero(used)), (np.cumsum(used) - 1)[places]


def refuse_other_recipe(checkpoint: Checkpoint, language: str | None) -> None:
    """Raise CheckpointError unless the checkpoint is an association model, trained on `language` if given."""
    config, folder = checkpoint.config, checkpoint.folder
    if config.get("recipe") != RECIPE:
        raise CheckpointError(
            f"{folder}: holds {config.get('recipe', 'no known recipe')!r}, not a face-voice association model"
        )
    if language is not None and config.get("language") != language:
        raise CheckpointError(
            f"{folder}: was trained on {config.get('language')}, but is given as the model trained on {language}"
        )


def refuse_other_encoders(checkpoint: Checkpoint, stores: FeatureStores) -> None:
    """Raise CheckpointError where the checkpoint was trained on embeddings of another encoder.

    Embeddings of the same encoder that were made with other settings are warned of.
    """
    refused: list[str] = []
    for modality in MODALITIES:
        trained = checkpoint.config.get("encoders", {}).get(modality, {})
        present = stores.of(modality).information
        differing = [
            name
            for name in sorted(trained.keys() | present.keys())
            if _differ(trained.get(name), present.get(name))
        ]
        refused += [
            f"{modality} {name}: trained on {trained.get(name)!r}, the store has {present.get(name)!r}"
            for name in differing
            if name in DECISIVE_KEYS
        ]
        settings = [name for name in differing if name not in (*DECISIVE_KEYS, *INFORMATIVE_KEYS)]
        if settings:
            logger.warning(
                "%s: trained on %s embeddings that were made with other settings (%s) than those in %s",
                *(checkpoint.folder, modality, ", ".join(settings), stores.features),
            )
    if refused:
        raise CheckpointError(
            f"{checkpoint.folder} does not fit the embeddings in {stores.features}:\n  "
            + "\n  ".join(refused)
            + "\nExtract features with the encoders of the checkpoint, or train on these embeddings."
        )


def _differ(trained: Any, present: Any) -> bool:
    """Whether settings differ; of a section, those that the checkpoint states (from media, it states some alone)."""
    if isinstance(trained, Mapping) and isinstance(present, Mapping):
        return any(_differ(value, present.get(name)) for name, value in trained.items())
    return bool(trained != present)


@dataclass(frozen=True)
class _ResolvedMedia:
    """The media of one modality of a list.

    places: int64 (distinct paths,), where each stands among the store's items, -1 for nowhere. held: bool (distinct
    paths,). trial_rows: int32 (trials,), which path each trial has. lost: trials whose medium has no embedding.
    """

    places: np.ndarray
    held: np.ndarray
    trial_rows: np.ndarray
    lost: list[UnscorableTrial]


def _resolved(trials: TrialTable, modality: Modality, stores: FeatureStores) -> _ResolvedMedia:
    column, index = trials.column(modality), stores.of(modality).items.index
    keys = [resolve_key(path, modality, index) for path in column.paths]
    places = index.get_indexer(pd.Index(np.array(keys, object), dtype=index.dtype.name))
    held = places >= 0
    lost: list[UnscorableTrial] = []
    if not held.all():
        reasons = failure_reasons(stores.features, modality)
        for trial in np.flatnonzero(~held[column.rows]):
            key = resolve_key(column.path(trial), modality, reasons)
            lost.append(UnscorableTrial(trials.trial_id(trial), key, reasons.get(key, UNKNOWN_MEDIA)))
    return _ResolvedMedia(places, held, column.rows, lost)


def _counts(trials: int, unscorable: Sequence[UnscorableTrial]) -> str:
    given_median = len({trial.trial_id for trial in unscorable})
    return f"{trials} trials" + (f", {given_median} with the median score" if given_median else "")


def _lost_lines(lost: Sequence[UnscorableTrial]) -> str:
    reasons = dict.fromkeys(f"{trial.key}: {trial.reason}" for trial in lost)
    more = f"\n  … and {len(reasons) - 10} more" if len(reasons) > 10 else ""
    return f"{len(reasons)} media have no embedding:\n  " + "\n  ".join(list(reasons)[:10]) + more


def _lost_message(lost: Sequence[UnscorableTrial], total: int, source: str) -> str:
    count = len({trial.trial_id for trial in lost})
    return (
        f"{source}: {count} of {total} trials cannot be scored, since {_lost_lines(lost)}\n"
        "Mend the media and preprocess again, or give such trials the median score: --unscorable median"
    )


def _median_message(lost: Sequence[UnscorableTrial], count: int, total: int, source: str) -> str:
    names = list(dict.fromkeys(trial.trial_id for trial in lost))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (
        f"{source}: {count} of {total} trials were given the median score ({', '.join(names[:10])}{more}), "
        f"since {_lost_lines(lost)}"
    )
