"""Settings of the features stage."""

from dataclasses import dataclass

from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """Which vectors stand for a recording besides that of the whole utterance.

    window_seconds: length of the sliding windows.
    hop_seconds: distance between their starts.
    most_windows: of a longer recording, so many evenly spread windows are taken.
    batch_windows: windows, or crops, that the encoder takes at once.
    """

    __pydantic_config__ = STRICT

    window_seconds: float = 2.0
    hop_seconds: float = 1.0
    most_windows: int = 32
    batch_windows: int = 32

    def __post_init__(self) -> None:
        if self.window_seconds <= 0 or self.hop_seconds <= 0:
            raise ValueError("window_seconds and hop_seconds must be above 0")
        if self.most_windows < 1 or self.batch_windows < 1:
            raise ValueError("most_windows and batch_windows must be at least 1")
