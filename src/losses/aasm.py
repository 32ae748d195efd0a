"""AaSM's losses on two voices and two faces of each identity in a batch.

    cross          = ½ mean_i (E(v_i; f) + E(f_i; v))                 E: equilibrium loss (equilibrium.py)
    intra          = ½ mean_i (E(v_i; v') + E(v'_i; v)) + ½ mean_i (E(f_i; f') + E(f'_i; f))
    triplet_cross  = mean_i w_i T(v_i, f_i),   triplet_voice with (v, v'),   triplet_face with (f, f')
    total          = cross + intra + 10 (triplet_cross + triplet_voice + triplet_face)

v', f' are the second samples. T: re-gauged triplets of both directions (regauged_triplet.py), over the anchors that mined
one; w: identity weights (identity_weights.py). Triplets count from step 6888 on and weights are refreshed every 920
steps from step 6440 on, of 27,000 as published.

What the release does otherwise: its triplet terms have no gradient; it never feeds the counts, so that its weights turn NaN;
it multiplies a column of losses with a row of weights, so that every anchor gets the sum of everybody's weights; its
anchors are not normalised in E, so that their length acts as a temperature of their own (`unit_anchors=False`).

Source: "Taking a Part for the Whole: An Archetype-agnostic Framework for Voice-Face Association", ACM Multimedia 2023.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.losses.equilibrium import CROSS_CONSTANT, INTRA_CONSTANT, EquilibriumLoss
from src.losses.identity_weights import IdentityWeights
from src.losses.regauged_triplet import RegaugedTripletLoss, mean_of_directions, mean_of_mined


@dataclass(frozen=True, kw_only=True)
class AasmSchedule:
    """When what sets in, in training steps, as published.

    triplets_from: first step with triplet terms. weights_from: first step with a refresh of the identity weights.
    refresh_every: steps between two refreshes.
    """

    triplets_from: int = 6888
    weights_from: int = 6440
    refresh_every: int = 920

    def __post_init__(self) -> None:
        if self.refresh_every < 1 or min(self.triplets_from, self.weights_from) < 0:
            raise ValueError(f"{self}: refresh_every must be at least 1 and the others not negative")


class AasmTerms(NamedTuple):
    """The terms, unweighted, each a scalar with gradient; triplet terms are 0 before their step."""

    cross: Tensor
    intra: Tensor
    triplet_cross: Tensor
    triplet_voice: Tensor
    triplet_face: Tensor


class AasmLoss(nn.Module):
    """AaSM's terms, with the identity weights and the step that they depend on, both in the state dict.

    identities: number of training identities. schedule: see AasmSchedule. unit_anchors: whether anchors are
    normalised in the equilibrium loss; false as released.
    """

    step: Tensor

    def __init__(
        self, identities: int, schedule: AasmSchedule | None = None, *, unit_anchors: bool = True
    ) -> None:
        super().__init__()
        self.schedule = schedule or AasmSchedule()
        self.unit_anchors = unit_anchors
        self.cross = EquilibriumLoss(CROSS_CONSTANT)
        self.intra = EquilibriumLoss(INTRA_CONSTANT)
        self.triplet = RegaugedTripletLoss()
        self.weights = IdentityWeights(identities)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def forward(
        self, voices: Tensor, faces: Tensor, more_voices: Tensor, more_faces: Tensor, labels: Tensor
    ) -> AasmTerms:
        """All terms; in training mode the batch is counted and the step advances.

        voices, faces: float (n, d), row i of one person. more_voices, more_faces: their second samples, (n, d).
        labels: integer (n,), 0 to identities − 1; rows of one person are never rivals.
        """
        rivals = labels[:, None] != labels[None, :]
        started = self.step >= self.schedule.triplets_from
        if self.training:
            self._advance(labels, F.normalize(voices, dim=1) @ F.normalize(faces, dim=1).T, rivals)
        weights = self.weights(labels) * started
        within_voices = self._equilibrium(self.intra, voices, more_voices, rivals)
        within_faces = self._equilibrium(self.intra, faces, more_faces, rivals)
        return AasmTerms(
            self._equilibrium(self.cross, voices, faces, rivals),
            within_voices + within_faces,
            self._triplets(voices, faces, rivals, weights),
            self._triplets(voices, more_voices, rivals, weights),
            self._triplets(faces, more_faces, rivals, weights),
        )

    def _advance(self, labels: Tensor, similarity: Tensor, rivals: Tensor) -> None:
        since = self.step - self.schedule.weights_from
        self.weights.refresh((since >= 0) & (since % self.schedule.refresh_every == 0))
        self.weights.count(labels, similarity, rivals)
        self.step += 1

    def _equilibrium(self, loss: EquilibriumLoss, left: Tensor, right: Tensor, rivals: Tensor) -> Tensor:
        there, back = (
            loss(self._anchors(anchors) @ F.normalize(others, dim=1).T, rivals)
            for anchors, others in ((left, right), (right, left))
        )
        return 0.5 * (there + back).mean()

    def _anchors(self, anchors: Tensor) -> Tensor:
        return F.normalize(anchors, dim=1) if self.unit_anchors else anchors

    def _triplets(self, left: Tensor, right: Tensor, rivals: Tensor, weights: Tensor) -> Tensor:
        mined = mean_of_directions(self.triplet(left, right, rivals), self.triplet(right, left, rivals))
        return mean_of_mined(mined, weights)
