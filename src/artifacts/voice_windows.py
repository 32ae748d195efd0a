"""Where the windows of a recording lie: what the features stage embeds, and what attention is shown over."""

from collections.abc import Mapping
from typing import Any

import numpy as np

LONGEST_WHOLE_SECONDS = 300.0


def whole_pieces(length: int, longest: int) -> int:
    """Into how many equal pieces a whole recording of `length` samples is cut, so that none is longer than `longest`."""
    return -(-length // longest)


def window_starts(length: int, window: int, hop: int, most: int) -> np.ndarray:
    """First sample of each window, int64 (windows,).

    length: samples of the recording. window, hop: samples of a window, and from one start to the next. most: of more,
    so many evenly spread ones. Full windows only; none where the recording is no longer than one.
    """
    if length <= window:
        return np.empty(0, np.int64)
    starts = np.arange(0, length - window + 1, hop)
    if len(starts) > most:
        starts = starts[np.linspace(0, len(starts) - 1, most).round().astype(int)]
    return starts


def stored_window_starts(
    length: int, sample_rate_hz: int, settings: Mapping[str, Any]
) -> tuple[np.ndarray, int]:
    """The same for a store that was made with `settings`, the entry "tokens" of its store.json; and a window's length.

    Raises KeyError where the settings do not say.
    """
    window = round(settings["window_seconds"] * sample_rate_hz)
    hop = round(settings["hop_seconds"] * sample_rate_hz)
    return window_starts(length, window, hop, settings["most_windows"]), window
