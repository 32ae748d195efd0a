"""Score trials with a trained association model over embedding stores."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from src.artifacts.checkpoints import Checkpoint, load_checkpoint, load_weights
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trials import Trial
from src.core.errors import CheckpointError, ListError, StoreError
from src.core.polarity import score_from_similarity
from src.models.association import AssociationModel
from src.models.pair_scoring import pair_similarities
from src.models.registry import build_model
from src.models.tokens import TokenSequences
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
        given_median = len({trial.trial_id for trial in self.unscorable})
        return f"{len(self.scores)} trials" + (
            f", {given_median} with the median score" if given_median else ""
        )


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
        """Score every trial; each distinct voice and face is gathered and encoded once.

        source: what errors call the list. unscorable: what becomes of a trial with a medium that has no
        embedding: an error, or the median score of the others.
        Raises ListError for an empty list and paths that leave the data set, StoreError that lists the media
        without embedding.
        """
        if not trials:
            raise ListError(f"{source}: holds no trial")
        refuse_climbing_paths(trials, source)
        keys, lost = _keys_of(trials, self.stores)
        if lost and unscorable == "error":
            raise StoreError(_lost_message(lost, len(trials), source))
        lost_ids = {trial.trial_id for trial in lost}
        scorable = np.array([trial.trial_id not in lost_ids for trial in trials])
        if not scorable.any():
            raise StoreError(f"{source}: not one of {len(trials)} trials can be scored. {_lost_lines(lost)}")
        scores = np.empty(len(trials))
        scores[scorable] = score_from_similarity(self._similarities(keys, scorable))
        scores[~scorable] = np.median(scores[scorable])
        if not np.isfinite(scores).all():
            raise CheckpointError(
                f"{source}: the model gives {int((~np.isfinite(scores)).sum())} scores that are not finite; train it anew"
            )
        if lost:
            logger.warning("%s", _median_message(lost, len(lost_ids), len(trials), source))
        return ScoredTrials(
            {trial.trial_id: float(score) for trial, score in zip(trials, scores, strict=True)}, lost
        )

    def _similarities(self, keys: dict[Modality, np.ndarray], scorable: np.ndarray) -> np.ndarray:
        sequences: dict[Modality, TokenSequences] = {}
        rows: dict[Modality, np.ndarray] = {}
        for modality in MODALITIES:
            store = self.stores.of(modality)
            unique, rows[modality] = np.unique(keys[modality][scorable], return_inverse=True)
            items = store.items.loc[unique]
            sequences[modality] = TokenSequences.gather(
                store.vectors, items["first"].to_numpy(), items["count"].to_numpy(), self.device
            )
        return pair_similarities(
            self.model, sequences["voice"], sequences["face"], rows["voice"], rows["face"]
        )


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
            name for name in sorted(trained.keys() | present.keys()) if trained.get(name) != present.get(name)
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


def _keys_of(
    trials: Sequence[Trial], stores: FeatureStores
) -> tuple[dict[Modality, np.ndarray], list[UnscorableTrial]]:
    """Keys of each trial's media, (trials,) per modality, and what has no embedding."""
    keys: dict[Modality, np.ndarray] = {}
    lost: list[UnscorableTrial] = []
    for modality in MODALITIES:
        paths = [trial.voice if modality == "voice" else trial.face for trial in trials]
        store = stores.of(modality)
        known = store.items.index
        resolved = [resolve_key(path, modality, known) for path in paths]
        if store.missing(resolved):
            reasons = failure_reasons(stores.features, modality)
            for row, (trial, path) in enumerate(zip(trials, paths, strict=True)):
                if resolved[row] not in known:
                    resolved[row] = resolve_key(path, modality, reasons)
                    reason = reasons.get(resolved[row], UNKNOWN_MEDIA)
                    lost.append(UnscorableTrial(trial.trial_id, resolved[row], reason))
        keys[modality] = np.array(resolved)
    return keys, lost


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
