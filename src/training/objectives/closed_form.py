"""No objective: the model is fitted in closed form, and no step is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from src.models.association import AssociationModel
from src.models.linear_cca import LinearCca
from src.training.objectives.contract import EncodedBatch, Objective, ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class ClosedFormConfig(ObjectiveConfig):
    """Nothing to set."""

    TERMS: ClassVar[Mapping[str, float]] = {}
    TRAINS = (LinearCca,)

    name: Literal["closed-form"] = "closed-form"

    def make(self, model: AssociationModel, identities: int, steps: int) -> "ClosedForm":  # noqa: ARG002
        """See ObjectiveConfig."""
        return ClosedForm()


class ClosedForm(Objective):
    """Has no term."""

    def forward(self, model: AssociationModel, batch: EncodedBatch) -> Mapping[str, Tensor]:  # noqa: ARG002
        """See Objective."""
        return {}
