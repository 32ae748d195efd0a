"""Objectives by name: what a configuration's `objective` section may be."""

from typing import Annotated

from pydantic import Field

from src.training.objectives.aasm import AasmObjectiveConfig
from src.training.objectives.angular_margin import AngularMarginObjectiveConfig
from src.training.objectives.cafnet import CafNetObjectiveConfig
from src.training.objectives.cafnet_published import CafNetPublishedObjectiveConfig
from src.training.objectives.closed_form import ClosedFormConfig
from src.training.objectives.fop import FopObjectiveConfig
from src.training.objectives.infonce import InfoNceObjectiveConfig
from src.training.objectives.paeff import PaeffObjectiveConfig
from src.training.objectives.pairs import PairsObjectiveConfig

AnyObjectiveConfig = Annotated[
    AasmObjectiveConfig
    | AngularMarginObjectiveConfig
    | CafNetObjectiveConfig
    | CafNetPublishedObjectiveConfig
    | ClosedFormConfig
    | FopObjectiveConfig
    | InfoNceObjectiveConfig
    | PaeffObjectiveConfig
    | PairsObjectiveConfig,
    Field(discriminator="name"),
]
