"""A trial scorer whose scores are averaged over tokens, normalised by a cohort, pooled over clusters, as asked for."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src.artifacts.checkpoints import load_checkpoint
from src.artifacts.sources import MODALITIES, Modality
from src.core.errors import StoreError
from src.core.polarity import score_from_similarity, similarity_from_score
from src.metrics.score_normalisation import CohortStatistics, s_norm
from src.models.token_average import TokenAverage
from src.scoring.media_clusters import cluster_media, learn_distance, unit_means
from src.scoring.treatment import TRANSDUCTIVE, Normalisation, Treatment
from src.scoring.trial_scoring import FeatureStores, TrialScorer

LOGGER = logging.getLogger(__name__)
MOST_MEMBERS = 12  # of a larger cluster so many evenly chosen ones are scored
_BLOCK_PAIRS = 1 << 18
_NORMALISED: dict[Normalisation, tuple[Modality, ...]] = {
    "none": (),
    "z": ("voice",),
    "t": ("face",),
    "s": MODALITIES,
    "adaptive": MODALITIES,
}
_OTHER: dict[Modality, Modality] = {"voice": "face", "face": "voice"}


@dataclass(frozen=True)
class TreatedScorer(TrialScorer):
    """A trial scorer with a treatment.

    training: places in the stores of the media that the checkpoint was trained on, and people: who each is of.
    record: what was done, filled while lists are scored.
    """

    treatment: Treatment
    training: Mapping[Modality, np.ndarray]
    people: Mapping[Modality, np.ndarray]
    record: dict[str, Any] = field(default_factory=dict)

    def similarities(self, voice_places: np.ndarray, face_places: np.ndarray) -> np.ndarray:
        """See TrialScorer; of all trials of a list, since pooling needs their company."""
        places: dict[Modality, np.ndarray] = {"voice": voice_places, "face": face_places}
        statistics = self._statistics(places)
        if not self.treatment.transductive:
            return self._normalised(places, statistics)
        return self._pooled(places, statistics)

    def _normalised(
        self, places: Mapping[Modality, np.ndarray], statistics: Mapping[Modality, "_ItemStatistics"]
    ) -> np.ndarray:
        similarity = super().similarities(places["voice"], places["face"])
        if not statistics:
            return similarity
        scores = score_from_similarity(similarity)
        rows = {modality: found.rows[places[modality]] for modality, found in statistics.items()}
        if len(statistics) == 1:
            (modality,) = statistics
            normalised = statistics[modality].statistics.standardise(scores, rows[modality])
        else:
            voice, face = statistics["voice"], statistics["face"]
            normalised = s_norm(scores, voice.statistics, rows["voice"], face.statistics, rows["face"])
        return similarity_from_score(normalised)

    def _statistics(self, places: Mapping[Modality, np.ndarray]) -> dict[Modality, "_ItemStatistics"]:
        """Each item's scores with strangers: training people's media of the other modality, one a person."""
        normalised = _NORMALISED[self.treatment.normalisation]
        found: dict[Modality, _ItemStatistics] = {}
        for modality in normalised:
            used = np.unique(places[modality])
            cohort = _one_a_person(self.training[_OTHER[modality]], self.people[_OTHER[modality]])
            nearest = self.treatment.nearest if self.treatment.normalisation == "adaptive" else None
            if len(cohort) < max(2, nearest or 2):
                raise StoreError(
                    f"{self.stores.features}: holds {_OTHER[modality]}s of {len(cohort)} training people of the "
                    f"checkpoint; normalisation needs at least {max(2, nearest or 2)} (--nearest)"
                )
            block = max(1, _BLOCK_PAIRS // len(cohort))
            parts = (used[start : start + block] for start in range(0, len(used), block))
            tables = (self._cohort_scores(modality, part, cohort) for part in parts)
            rows = np.full(len(self.stores.of(modality).items), -1)
            rows[used] = np.arange(len(used))
            found[modality] = _ItemStatistics(CohortStatistics.of(tables, nearest), rows)
            self.record[f"{modality}_cohort"] = len(cohort)
        return found

    def _cohort_scores(self, modality: Modality, places: np.ndarray, cohort: np.ndarray) -> np.ndarray:
        pairs = {modality: np.repeat(places, len(cohort)), _OTHER[modality]: np.tile(cohort, len(places))}
        scores = score_from_similarity(super().similarities(pairs["voice"], pairs["face"]))
        return scores.reshape(len(places), len(cohort))

    def _pooled(
        self, places: Mapping[Modality, np.ndarray], statistics: Mapping[Modality, "_ItemStatistics"]
    ) -> np.ndarray:
        """The mean over all members of a trial's two clusters; every pair of clusters is scored once."""
        clusters = {modality: self._clusters(modality, places[modality]) for modality in MODALITIES}
        numbers = {modality: clusters[modality].numbers[places[modality]] for modality in MODALITIES}
        faces = len(clusters["face"].members)
        pairs, trial_pairs = np.unique(numbers["voice"] * faces + numbers["face"], return_inverse=True)
        means = np.empty(len(pairs))
        for start in range(0, len(pairs), _BLOCK_PAIRS // MOST_MEMBERS**2):
            block = pairs[start : start + _BLOCK_PAIRS // MOST_MEMBERS**2]
            grids = [
                np.meshgrid(
                    clusters["voice"].members[pair // faces],
                    clusters["face"].members[pair % faces],
                    indexing="ij",
                )
                for pair in block
            ]
            sizes = [voice.size for voice, _ in grids]
            members: dict[Modality, np.ndarray] = {
                "voice": np.concatenate([voice.ravel() for voice, _ in grids]),
                "face": np.concatenate([face.ravel() for _, face in grids]),
            }
            scored = self._normalised(members, statistics)
            sums = np.add.reduceat(scored, np.cumsum([0, *sizes[:-1]]))
            means[start : start + len(block)] = sums / sizes
        return means[trial_pairs]

    def _clusters(self, modality: Modality, places: np.ndarray) -> "_Clusters":
        store, used = self.stores.of(modality), np.unique(places)
        training = self.training[modality]
        stop = learn_distance(unit_means(store, training), self.people[modality], len(used))
        labels = cluster_media(unit_means(store, used), stop.distance)
        members = [used[labels == label] for label in range(int(labels.max()) + 1)]
        numbers = np.full(len(store.items), -1)
        numbers[used] = labels
        found = {"media": len(used), "clusters": len(members), "learnt": asdict(stop)}
        self.record.setdefault("clusters", []).append({"modality": modality, **found})
        LOGGER.warning(
            "transductive: %d test %ss in %d clusters; these scores use the test set as a whole, declare it",
            *(len(used), modality, len(members)),
        )
        return _Clusters([_evenly(one) for one in members], numbers)


@dataclass(frozen=True)
class _ItemStatistics:
    """Statistics of the items of a list, and in which row of them each item of the store stands (-1: in none)."""

    statistics: CohortStatistics
    rows: np.ndarray


@dataclass(frozen=True)
class _Clusters:
    """Places of each cluster's members, MOST_MEMBERS at most, and the cluster of each item of the store."""

    members: list[np.ndarray]
    numbers: np.ndarray


def load_scorer(
    folder: Path,
    stores: FeatureStores,
    device: torch.device,
    treatment: Treatment,
    language: str | None = None,
) -> TrialScorer:
    """The scorer of a checkpoint with a treatment; other arguments and errors as of `TrialScorer.load`.

    Raises StoreError where the treatment needs embeddings of training people and the stores hold none.
    """
    plain = TrialScorer.load(folder, stores, device, language)
    if treatment.average_tokens:
        plain = replace(plain, model=TokenAverage(plain.model))
    if not treatment.transductive and treatment.normalisation == "none":
        return plain
    training = {modality: _training_places(folder, stores, modality) for modality in MODALITIES}
    people = {
        modality: stores.of(modality).items["identity"].to_numpy()[training[modality]]
        for modality in MODALITIES
    }
    return TreatedScorer(plain.model, stores, device, treatment, training, people)


def record_of(scorer: TrialScorer, treatment: Treatment) -> dict[str, Any] | None:
    """What `write_record` keeps of a scorer that has scored; None for plain scores."""
    if treatment.is_plain:
        return None
    details = scorer.record if isinstance(scorer, TreatedScorer) else {}
    return {TRANSDUCTIVE: treatment.transductive, **treatment.mapping(), **details}


def _training_places(folder: Path, stores: FeatureStores, modality: Modality) -> np.ndarray:
    """Media of the checkpoint's own people in its own language: nothing else may be known of in training."""
    config = load_checkpoint(folder).config
    items = stores.of(modality).items
    chosen = (
        (items["split"] == "train") & (items["identity"] != "") & (items["language"] == config["language"])
    )
    identities = config.get("identities", {})
    known = {*identities.get("training", ()), *identities.get("validation", ())}
    if known:
        chosen &= items["identity"].isin(known)
    if not chosen.any():
        raise StoreError(
            f"{stores.features}: holds no {modality} of the people whom {folder} was trained on; normalisation and "
            "--transductive learn from them. Give the features that it was trained on, with the test media among them"
        )
    return np.flatnonzero(chosen.to_numpy())


def _one_a_person(places: np.ndarray, people: np.ndarray) -> np.ndarray:
    _, first = np.unique(people, return_index=True)
    chosen: np.ndarray = places[first]
    return chosen


def _evenly(members: np.ndarray) -> np.ndarray:
    wanted = min(len(members), MOST_MEMBERS)
    chosen: np.ndarray = members[np.linspace(0, len(members) - 1, wanted).round().astype(int)]
    return chosen
