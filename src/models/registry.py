"""Association models by name: the one place that turns a configuration into a model.

model = build_model(checkpoint.config["model"])
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from src.core.config import STRICT, parse_config
from src.core.errors import ConfigError
from src.models.association import AssociationModel
from src.models.cafnet import CafNet
from src.models.canonical_correlation import Alignment
from src.models.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class CafNetConfig:
    """Settings of CAFNet; what each does is said in src/models/cafnet.py.

    name: "cafnet".
    voice_dimension, face_dimension: numbers in a token; taken from the stores in training.
    aligned_width: canonical directions of the aligned inputs; null for the paper's plain inputs.
    width: d, numbers of a projected token.
    heads: attention heads, a divisor of width.
    hidden: units of the MLP.
    dropout: share dropped of projected tokens, MLP input and hidden units.
    attention_dropout: share dropped of attention weights.
    comparison: what the MLP sees: "fused" (the paper) or "fused_and_product".
    members: networks trained apart whose log odds are averaged.
    """

    __pydantic_config__ = STRICT

    name: Literal["cafnet"] = "cafnet"
    voice_dimension: int
    face_dimension: int
    aligned_width: int | None
    width: int
    heads: int
    hidden: int
    dropout: float
    attention_dropout: float = 0.0
    comparison: Literal["fused", "fused_and_product"] = "fused_and_product"
    members: int = 1

    def __post_init__(self) -> None:
        sizes = ("voice_dimension", "face_dimension", "width", "heads", "hidden", "members")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.aligned_width is not None and not 1 <= self.aligned_width <= min(
            self.voice_dimension, self.face_dimension
        ):
            raise ValueError("aligned_width must be from 1 to the smaller of the stores' dimensions")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        for name in ("dropout", "attention_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be at least 0 and below 1")


ModelConfig = CafNetConfig
CONFIGURATIONS: dict[str, type[ModelConfig]] = {"cafnet": CafNetConfig}


def model_config(mapping: Mapping[str, Any], source: str = "model") -> ModelConfig:
    """The configuration that the mapping's `name` asks for; `source` names the mapping in errors."""
    name = mapping.get("name")
    if name not in CONFIGURATIONS:
        raise ConfigError(
            f"{source}.name: {name!r} is not a model; there are: {', '.join(sorted(CONFIGURATIONS))}"
        )
    return parse_config(CONFIGURATIONS[name], mapping, source)


def build_model(mapping: Mapping[str, Any]) -> Ensemble:
    """A model with fresh weights, as a checkpoint's `config.json` describes it under "model".

    Raises ConfigError for an unknown name, unknown or missing keys, and contradictions.
    """
    config = model_config(mapping)
    return Ensemble([build_member(config) for _ in range(config.members)])


def build_member(config: ModelConfig, alignment: Alignment | None = None) -> AssociationModel:
    """One member with fresh weights, drawn from PyTorch's global generator.

    alignment: the fitted maps of aligned inputs, where the configuration has `aligned_width`.
    """
    model = CafNet(
        config.voice_dimension,
        config.face_dimension,
        aligned_width=config.aligned_width,
        width=config.width,
        heads=config.heads,
        hidden=config.hidden,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        comparison=config.comparison,
    )
    if alignment is not None:
        model.fit_inputs(alignment.voice, alignment.face)
    return model
