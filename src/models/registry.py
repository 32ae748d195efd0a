"""Association models by name: the one place that turns a configuration into a model.

model = build_model(checkpoint.config["model"])
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from src.core.config import parse_config
from src.core.errors import ConfigError
from src.models.association import AssociationModel
from src.models.canonical_correlation import AffineMap, Alignment
from src.models.configurations import (
    AasmConfig,
    CafNetConfig,
    CafNetPublishedConfig,
    FopConfig,
    LinearCcaConfig,
    MfvConfig,
    ModelConfig,
    PaeffConfig,
    SharedSpaceConfig,
)
from src.models.ensemble import Ensemble

CONFIGURATIONS: dict[str, type[ModelConfig]] = {
    "aasm": AasmConfig,
    "cafnet": CafNetConfig,
    "cafnet-published": CafNetPublishedConfig,
    "fop": FopConfig,
    "linear-cca": LinearCcaConfig,
    "mfv": MfvConfig,
    "paeff": PaeffConfig,
    "shared-space": SharedSpaceConfig,
}


@runtime_checkable
class FittedInputs(Protocol):
    """A model whose inputs pass maps that are fitted before training."""

    def fit_inputs(self, voice: AffineMap, face: AffineMap) -> None:
        """Take over the maps."""


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

    alignment: the fitted maps of aligned inputs, where the configuration has an `alignment_width`.
    """
    model = config.build()
    if alignment is not None:
        assert isinstance(model, FittedInputs), "only such models name an alignment width"
        model.fit_inputs(alignment.voice, alignment.face)
    return model
