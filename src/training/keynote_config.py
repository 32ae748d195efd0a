"""Configuration of the keynote network's training (configs/keynote.yaml)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from src.core.config import STRICT
from src.models.keynote_network import KeynoteNetworkConfig


@dataclass(frozen=True, kw_only=True)
class SimulationConfig:
    """The conversations that it is trained on.

    conversations, validation_conversations: how many are made of the training and of the validation people.
    seconds: length of each; the network later reads chunks of this length.
    most_others: up to so many people talk beside the main speaker.
    alone_share: share of conversations with the main speaker alone.
    main_share: range of the main speaker's share of all speech.
    room_share: share of conversations held in a room with a microphone of its own; the others are dry.
    signal_to_noise_db: range of the noise; as in the demo, of any colour or babble.
    speed_factors: speeds at which people talk. A person at another speed is another person, one whom the
        speaker encoder knows less well, as it will know those whom it has never heard.
    corpus_weights: shares of the corpora in the conversations, in the order of the command line; empty for equal ones.
    """

    __pydantic_config__ = STRICT

    conversations: int = 1600
    validation_conversations: int = 160
    seconds: float = 20.0
    most_others: int = 2
    alone_share: float = 0.1
    main_share: tuple[float, float] = (0.5, 0.75)
    room_share: float = 0.6
    signal_to_noise_db: tuple[float, float] = (5.0, 25.0)
    speed_factors: tuple[float, ...] = (1.0,)
    corpus_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if (
            min(self.conversations, self.validation_conversations) < 2
            or self.seconds < 5
            or self.most_others < 1
        ):
            raise ValueError(
                "at least 2 conversations of each kind, of 5 s or more, and most_others at least 1"
            )
        if not self.speed_factors or min(self.speed_factors) <= 0:
            raise ValueError("speed_factors must be positive")
        if not 0 < self.main_share[0] <= self.main_share[1] < 1:
            raise ValueError(f"main_share={self.main_share} must be a range between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class KeynoteTrainingConfig:
    """How the keynote network is trained.

    recipe: which training this file is for.
    encoder: checkpoint folder of the compact speaker encoder whose features it reads.
    seed: of the conversations, the weights and every draw.
    validation_share: of the people of a corpus, where the encoder's own validation people are not in it.
    unprompted_share, absent_share: shares of the examples that ask for whoever talks most, and for somebody
        who is not there; the others ask for one of those who talk.
    epochs, batch_size, learning_rate, weight_decay, warm_up_share, gradient_norm: of the loop (AdamW, one cycle).
    """

    __pydantic_config__ = STRICT

    recipe: Literal["keynote"]
    encoder: Path = Path("checkpoints/embedded/ecapa-compact")
    seed: int = 0
    validation_share: float = 0.1
    network: KeynoteNetworkConfig = field(default_factory=KeynoteNetworkConfig)
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    unprompted_share: float = 0.45
    absent_share: float = 0.1
    epochs: int = 20
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up_share: float = 0.1
    gradient_norm: float = 1.0

    def __post_init__(self) -> None:
        if min(self.unprompted_share, self.absent_share) < 0 or self.unprompted_share + self.absent_share > 1:
            raise ValueError("unprompted_share and absent_share must not be negative, and sum to at most 1")
        if self.epochs < 1 or self.batch_size < 1 or not 0 < self.warm_up_share < 1:
            raise ValueError("epochs and batch_size must be at least 1, warm_up_share between 0 and 1")
