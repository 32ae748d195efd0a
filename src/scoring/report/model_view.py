"""A trained model and its embeddings, asked anew for what the report shows beyond the submission."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from src.artifacts.sources import Modality
from src.artifacts.trials import Trial
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.core.errors import CheckpointError, StoreError
from src.core.polarity import score_from_similarity
from src.models.tokens import TokenSequences
from src.scoring.cells import Cell
from src.scoring.report.sources import Absent, ReportData, ReportSources
from src.scoring.trial_keys import resolve_key
from src.scoring.trial_people import PEOPLE
from src.scoring.trial_scoring import FeatureStores, TrialScorer

_ASK_FEATURES = "--features WORK/features, the embeddings that were scored (by default those in --work)"


@dataclass(frozen=True)
class ModelView:
    """One model. Keys are those of its stores."""

    scorer: TrialScorer

    def key(self, listed: str, modality: Modality) -> str | None:
        """The key of a path as lists give it; None where it has no embedding."""
        known = self.scorer.stores.of(modality).items.index
        key = resolve_key(listed, modality, known)
        return key if key in known else None

    def scores(self, voices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Scores of pairs of keys, float64, of their shape; lower = same person."""
        places = self._places("voice", voices.ravel()), self._places("face", faces.ravel())
        scores: np.ndarray = score_from_similarity(self.scorer.similarities(*places)).reshape(voices.shape)
        return scores

    @torch.inference_mode()
    def attention(self, voice: str, face: str) -> np.ndarray | None:
        """Share of each of the voice's tokens in what the face looks at, (tokens,); None for a model without."""
        model = self.scorer.model
        voices, faces = self._tokens("voice", [voice]), self._tokens("face", [face])
        shares = model.attention_over_voice(
            model.encode_voices(voices.tokens), voices.mask, model.encode_faces(faces.tokens), faces.mask
        )
        return None if shares is None else shares[0].double().cpu().numpy()

    @torch.inference_mode()
    def points(self, modality: Modality, keys: Iterable[str]) -> np.ndarray | None:
        """Points of the shared space, float64 (keys, d); None for a model without one."""
        model, items = self.scorer.model, self._tokens(modality, list(keys))
        encode = model.encode_voices if modality == "voice" else model.encode_faces
        points = model.shared_points(encode(items.tokens), items.mask)
        return None if points is None else points.double().cpu().numpy()

    def _tokens(self, modality: Modality, keys: list[str]) -> TokenSequences:
        return self.scorer.runs(modality, self._places(modality, keys)).block(0, len(keys))

    def _places(self, modality: Modality, keys: Sequence[str] | np.ndarray) -> np.ndarray:
        return self.scorer.stores.of(modality).items.index.get_indexer(pd.Index(keys, dtype=object))

    def voice_settings(self) -> dict[str, Any]:
        """How the windows of the voices were cut, as the store says."""
        return dict(self.scorer.stores.voice.information.get("tokens") or {})


def open_models(sources: ReportSources, data: ReportData) -> dict[str, ModelView] | Absent:
    """Training language → model on its embeddings, or why they cannot be asked.

    Raises CheckpointError where the embeddings are not those that a model was trained on.
    """
    features = _features_folder(sources)
    if features is None:
        return Absent("The report was written without embeddings.", f"Give {_ASK_FEATURES}.")
    try:
        stores = FeatureStores.open(features)
    except StoreError as error:
        if sources.features is not None:
            raise
        return Absent(f"There are no embeddings to ask the models with: {error}.", f"Give {_ASK_FEATURES}.")
    device = torch.device("cpu")
    views = {}
    for model in data.models:
        try:
            scorer = TrialScorer.load(model.checkpoint.folder, stores, device, model.language)
        except CheckpointError as error:
            if sources.features is not None:
                raise
            return Absent(f"The embeddings do not fit the models: {error}", f"Give {_ASK_FEATURES}.")
        views[model.language] = ModelView(scorer)
    return views


def media_of_people(data: ReportData, cell: Cell, view: ModelView) -> dict[Modality, pd.Series] | Absent:
    """Who is in each embedded medium of a cell's list: modality → identity by key, sorted; or why it is not known."""
    if data.lists is None:
        return Absent("The report was written without the lists of the data set.", "Give --dataset DATASET.")
    if data.drawn != PEOPLE:
        return Absent(
            "It is not known who is in the media of the test.",
            "Put media_identities.csv (columns key, identity) into the truth folder, or voice_identity and "
            "face_identity into the truth files.",
        )
    frame, trials = data.cells[cell], data.lists[cell]
    listed = [trials[str(name)] for name in frame.index]
    sides: tuple[tuple[Modality, str], ...] = (("voice", VOICE_IDENTITY), ("face", FACE_IDENTITY))
    found: dict[Modality, pd.Series] = {}
    for modality, column in sides:
        keys = [view.key(_listed(trial, modality), modality) for trial in listed]
        people = pd.Series(frame[column].to_numpy(), index=pd.Index(keys, dtype=object))
        people = people[people.index.notna()]
        found[modality] = people[~people.index.duplicated()].sort_index()
    return found


def _listed(trial: Trial, modality: Modality) -> str:
    return trial.voice if modality == "voice" else trial.face


def _features_folder(sources: ReportSources) -> Path | None:
    if sources.features is not None:
        return sources.features
    return None if sources.work is None else sources.work / "features"
