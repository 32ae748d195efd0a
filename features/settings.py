"""Settings of the features stage."""

from dataclasses import dataclass

from src.artifacts.voice_windows import LONGEST_WHOLE_SECONDS
from src.core.config import STRICT
from src.models.inference_form import Precision


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """Which vectors stand for a recording besides that of the whole utterance, and for a face besides those of its crop.

    window_seconds: length of the sliding windows.
    hop_seconds: distance between their starts.
    most_windows: of a longer recording, so many evenly spread windows are taken.
    longest_whole_seconds: of a longer recording, the vector of the whole is the mean of those of equal pieces that are
        no longer than this, which bounds the memory of recordings of hours.
    jittered_crops: of each face crop so many slightly turned, zoomed and moved versions are embedded besides it and
        its mirror image.
    jitter_degrees, jitter_zoom, jitter_shift: their largest turn, largest relative change of size, and largest move
        as a share of the side.
    precision: of the encoder's matrix products; bfloat16 is faster where the hardware has it.
    batch_seconds: speech that the encoder takes at once; None: 8 on a processor, 320 on a GPU.
    batch_crops: crops, mirrored and jittered ones counted, that the encoder takes at once; None: 16 on a processor,
        512 on a GPU.
    """

    __pydantic_config__ = STRICT

    window_seconds: float = 2.0
    hop_seconds: float = 1.0
    most_windows: int = 32
    longest_whole_seconds: float = LONGEST_WHOLE_SECONDS
    jittered_crops: int = 0
    jitter_degrees: float = 5.0
    jitter_zoom: float = 0.08
    jitter_shift: float = 0.04
    precision: Precision = "float32"
    batch_seconds: float | None = None
    batch_crops: int | None = None

    def __post_init__(self) -> None:
        if self.window_seconds <= 0 or self.hop_seconds <= 0:
            raise ValueError("window_seconds and hop_seconds must be above 0")
        if self.most_windows < 1:
            raise ValueError("most_windows must be at least 1")
        if self.longest_whole_seconds < self.window_seconds:
            raise ValueError("longest_whole_seconds must be at least window_seconds")
        if self.batch_seconds is not None and self.batch_seconds <= 0:
            raise ValueError("batch_seconds must be above 0")
        if self.batch_crops is not None and self.batch_crops < 1:
            raise ValueError("batch_crops must be at least 1")
        if self.jittered_crops < 0:
            raise ValueError("jittered_crops must not be negative")
        if (
            not 0 <= self.jitter_degrees <= 180
            or not 0 <= self.jitter_zoom < 1
            or not 0 <= self.jitter_shift < 1
        ):
            raise ValueError(
                "jitter_degrees must lie between 0 and 180, jitter_zoom and jitter_shift between 0 and 1"
            )
