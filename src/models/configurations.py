"""Settings of every association model: one frozen class a method, which builds a member with fresh weights.

What each setting does is said where the model is; `name` is what a YAML and a checkpoint call the method.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from src.core.config import STRICT
from src.models.aasm import Aasm
from src.models.association import AssociationModel
from src.models.cafnet import CafNet
from src.models.cafnet_published import CafNetPublished
from src.models.fop import Fop
from src.models.linear_cca import LinearCca
from src.models.mfv import Mfv
from src.models.paeff import Paeff
from src.models.shared_space import SharedSpace


@dataclass(frozen=True, kw_only=True)
class ModelConfig(ABC):
    """What all models have in common.

    voice_dimension, face_dimension: numbers in a token; taken from the stores in training.
    members: networks trained apart, whose similarities are averaged.
    """

    __pydantic_config__ = STRICT

    name: str
    voice_dimension: int
    face_dimension: int
    members: int = 1

    def __post_init__(self) -> None:
        require_positive(self, "voice_dimension", "face_dimension", "members")

    @property
    def alignment_width(self) -> int | None:
        """Canonical directions that have to be fitted before training; None where the model has no such input."""
        return None

    @abstractmethod
    def build(self) -> AssociationModel:
        """One member, its weights drawn from PyTorch's global generator."""


@dataclass(frozen=True, kw_only=True)
class AlignableConfig(ModelConfig):
    """A model whose inputs can be canonical directions.

    aligned_width: how many of them; null for the L2-normalised embeddings.
    """

    aligned_width: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_canonical(self, "aligned_width", self.aligned_width)

    @property
    def alignment_width(self) -> int | None:
        """The aligned inputs' directions."""
        return self.aligned_width


@dataclass(frozen=True, kw_only=True)
class CafNetConfig(AlignableConfig):
    """CAFNet (src/models/cafnet.py).

    width: d, numbers of a projected token. heads: attention heads, a divisor of width. hidden: units of the MLP.
    dropout: share dropped of projected tokens, MLP input and hidden units. attention_dropout: of attention weights.
    comparison: what the MLP sees, "fused" (the paper) or "fused_and_product".
    """

    name: Literal["cafnet"] = "cafnet"
    width: int
    heads: int
    hidden: int
    dropout: float
    attention_dropout: float = 0.0
    comparison: Literal["fused", "fused_and_product"] = "fused_and_product"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "width", "heads", "hidden")
        require_share(self, "dropout", "attention_dropout")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")

    def build(self) -> CafNet:
        """See ModelConfig."""
        return CafNet(
            self.voice_dimension,
            self.face_dimension,
            aligned_width=self.aligned_width,
            width=self.width,
            heads=self.heads,
            hidden=self.hidden,
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            comparison=self.comparison,
        )


@dataclass(frozen=True, kw_only=True)
class CafNetPublishedConfig(ModelConfig):
    """CAFNet as released (src/models/cafnet_published.py). width: d. dropout: after the GELU."""

    name: Literal["cafnet-published"] = "cafnet-published"
    width: int = 512
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "width")
        require_share(self, "dropout")

    def build(self) -> CafNetPublished:
        """See ModelConfig."""
        return CafNetPublished(
            self.voice_dimension, self.face_dimension, width=self.width, dropout=self.dropout
        )


@dataclass(frozen=True, kw_only=True)
class FopConfig(ModelConfig):
    """FOP (src/models/fop.py). width: d. dropout: of the branches. fusion: gated or linear. unit_inputs: L2-normalise first."""

    name: Literal["fop"] = "fop"
    width: int = 128
    dropout: float = 0.5
    fusion: Literal["gated", "linear"] = "gated"
    unit_inputs: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "width")
        require_share(self, "dropout")

    def build(self) -> Fop:
        """See ModelConfig."""
        return Fop(
            self.voice_dimension,
            self.face_dimension,
            width=self.width,
            dropout=self.dropout,
            fusion=self.fusion,
            unit_inputs=self.unit_inputs,
        )


@dataclass(frozen=True, kw_only=True)
class PaeffConfig(ModelConfig):
    """PAEFF (src/models/paeff.py). width: d. dropout: of the branches. geometry: released or hyperbolic.
    unit_inputs: L2-normalise first."""

    name: Literal["paeff"] = "paeff"
    width: int = 256
    dropout: float = 0.4
    geometry: Literal["released", "hyperbolic"] = "released"
    unit_inputs: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "width")
        require_share(self, "dropout")

    def build(self) -> Paeff:
        """See ModelConfig."""
        return Paeff(
            self.voice_dimension,
            self.face_dimension,
            width=self.width,
            dropout=self.dropout,
            geometry=self.geometry,
            unit_inputs=self.unit_inputs,
        )


@dataclass(frozen=True, kw_only=True)
class AasmConfig(ModelConfig):
    """AaSM (src/models/aasm.py). voice_hidden, face_hidden: units of the hidden layers. width: d.

    unit_inputs: L2-normalise first.
    """

    name: Literal["aasm"] = "aasm"
    voice_hidden: int = 128
    face_hidden: int = 256
    width: int = 128
    unit_inputs: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "voice_hidden", "face_hidden", "width")

    def build(self) -> Aasm:
        """See ModelConfig."""
        return Aasm(
            self.voice_dimension,
            self.face_dimension,
            voice_hidden=self.voice_hidden,
            face_hidden=self.face_hidden,
            width=self.width,
            unit_inputs=self.unit_inputs,
        )


@dataclass(frozen=True, kw_only=True)
class MfvConfig(ModelConfig):
    """MFV-KSD's head (src/models/mfv.py).

    hidden, width: of the branches. fused_width: of the joint layer. dropout: between the layers of a branch.
    unit_inputs: L2-normalise first.
    """

    name: Literal["mfv"] = "mfv"
    hidden: int = 256
    width: int = 128
    fused_width: int = 256
    dropout: float = 0.5
    unit_inputs: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "hidden", "width", "fused_width")
        require_share(self, "dropout")

    def build(self) -> Mfv:
        """See ModelConfig."""
        return Mfv(
            self.voice_dimension,
            self.face_dimension,
            hidden=self.hidden,
            width=self.width,
            fused_width=self.fused_width,
            dropout=self.dropout,
            unit_inputs=self.unit_inputs,
        )


@dataclass(frozen=True, kw_only=True)
class SharedSpaceConfig(AlignableConfig):
    """A shared space (src/models/shared_space.py).

    width: d. hidden: units of the hidden layer; null for a linear projection. dropout: before the last layer.
    canonical_width: canonical directions of the trained space that pairs are scored in; null scores in the space.
    """

    name: Literal["shared-space"] = "shared-space"
    width: int
    hidden: int | None = None
    dropout: float
    canonical_width: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "width")
        require_share(self, "dropout")
        if self.hidden is not None:
            require_positive(self, "hidden")
        if self.canonical_width is not None and not 1 <= self.canonical_width <= self.width:
            raise ValueError("canonical_width must be from 1 to width")

    def build(self) -> SharedSpace:
        """See ModelConfig."""
        return SharedSpace(
            self.voice_dimension,
            self.face_dimension,
            width=self.width,
            hidden=self.hidden,
            dropout=self.dropout,
            aligned_width=self.aligned_width,
            canonical_width=self.canonical_width,
        )


@dataclass(frozen=True, kw_only=True)
class LinearCcaConfig(ModelConfig):
    """Linear CCA (src/models/linear_cca.py). width: k, canonical directions."""

    name: Literal["linear-cca"] = "linear-cca"
    width: int

    def __post_init__(self) -> None:
        super().__post_init__()
        require_canonical(self, "width", self.width)

    @property
    def alignment_width(self) -> int | None:
        """The directions that are the model."""
        return self.width

    def build(self) -> LinearCca:
        """See ModelConfig."""
        return LinearCca(self.voice_dimension, self.face_dimension, width=self.width)


def require_positive(config: object, *names: str) -> None:
    """Raise ValueError unless each of these numbers is at least 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{name} must be at least 1")


def require_share(config: object, *names: str) -> None:
    """Raise ValueError unless each of these numbers is at least 0 and below 1."""
    for name in names:
        if not 0.0 <= getattr(config, name) < 1.0:
            raise ValueError(f"{name} must be at least 0 and below 1")


def require_canonical(config: ModelConfig, name: str, width: int | None) -> None:
    """Raise ValueError where there are more canonical directions than the smaller store has numbers."""
    if width is not None and not 1 <= width <= min(config.voice_dimension, config.face_dimension):
        raise ValueError(f"{name} must be from 1 to the smaller of the stores' dimensions")
