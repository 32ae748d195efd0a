"""Measuring a head on people whom it never saw: all pairs of one person, and drawn pairs of different people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from src.core.polarity import score_from_similarity
from src.core.seeding import random_stream
from src.metrics.verification import equal_error_rate_and_area
from src.models.association import AssociationModel
from src.models.media_model import head_of
from src.models.pair_scoring import pair_similarities
from src.training.association_config import ValidationConfig
from src.training.resident_items import ResidentPeople
from src.training.resident_media import MediaPeople

ComparedPeople = ResidentPeople | MediaPeople


@dataclass(frozen=True)
class ValidationResult:
    """What a member reaches on people whom it never saw: rates from 0 to 1, and over how many pairs."""

    equal_error_rate: float
    area_under_curve: float
    pairs: int


class PeopleValidation:
    """The pairs of some people.

    people: in memory, as vectors or as media. names: of these people, by number. seed: of the pairs of different people.
    """

    def __init__(
        self, people: ComparedPeople, names: Sequence[str], config: ValidationConfig, seed: int
    ) -> None:
        self.people = people.evenly_chosen(config.items_per_identity)
        self.names = np.array(names)
        sides = (self.people.voices.identities, self.people.faces.identities)
        shown = [identities.cpu().numpy() for identities in sides]
        same = shown[0][:, None] == shown[1][None, :]
        genuine, different = np.argwhere(same), np.argwhere(~same)
        wanted = config.impostors_per_genuine * len(genuine)
        if wanted < len(different):
            order = random_stream("validation pairs", seed).choice(len(different), wanted, replace=False)
            different = different[np.sort(order)]
        self.voice_rows, self.face_rows = np.concatenate([genuine, different]).T
        self.voice_people, self.face_people = shown[0][self.voice_rows], shown[1][self.face_rows]
        self.same = np.arange(len(self.voice_rows)) < len(genuine)

    def scores(self, model: AssociationModel) -> np.ndarray:
        """Score of every pair, float64 (pairs,); lower = same person."""
        voices, faces = self.people.sequences(model)
        similarity = pair_similarities(head_of(model), voices, faces, self.voice_rows, self.face_rows)
        return score_from_similarity(similarity)

    def measure(self, model: AssociationModel) -> ValidationResult:
        """Error rate and area over all pairs; both NaN where a score is not finite."""
        scores = self.scores(model)
        if not np.isfinite(scores).all():
            return ValidationResult(math.nan, math.nan, len(scores))
        return ValidationResult(*equal_error_rate_and_area(scores, self.same), len(scores))

    def table(self, model: AssociationModel) -> pd.DataFrame:
        """One row a pair: score (lower = same person), label (1: one person), voice_identity, face_identity."""
        return pd.DataFrame(
            {
                "score": self.scores(model),
                "label": self.same.astype(np.int8),
                "voice_identity": self.names[self.voice_people],
                "face_identity": self.names[self.face_people],
            }
        )
