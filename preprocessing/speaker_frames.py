"""Who speaks in each frame of a recording, and the contract of everything that finds it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from src.artifacts.turns import SpeakerTurn
from src.media.frames import FRAMES_PER_SECOND, spans_of

KEYNOTE = 0

Recordings = Sequence[np.ndarray]
"""Recordings of one group: mono (samples,) at 16 kHz each, in single or half precision."""


@dataclass(frozen=True, kw_only=True)
class SpeakerFrames:
    """Who speaks in the frames of one recording.

    active: (frames, speakers) bool; several may speak at once. Column 0 is the keynote speaker, who talks
        most over the whole group, the others follow by falling talk. All recordings of a group have the
        same columns.
    certain: (frames,) bool, False where it cannot be told who speaks; such frames are never kept.
    """

    active: np.ndarray
    certain: np.ndarray

    @property
    def speech(self) -> np.ndarray:
        """Frames in which somebody speaks: (frames,)."""
        return np.asarray(self.active.any(axis=1))

    def turns(self) -> list[SpeakerTurn]:
        """The turns of all speakers, in seconds of the recording, ordered by start."""
        return sorted(
            SpeakerTurn(start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND, f"speaker{speaker:02d}")
            for speaker in range(self.active.shape[1])
            for start, end in spans_of(self.active[:, speaker])
        )


class Diarizer(Protocol):
    """Finds the speakers of groups of recordings; the recordings of one group share their main speaker."""

    def __call__(self, groups: Sequence[Recordings]) -> list[list[SpeakerFrames]]:
        """The speakers of each recording of each group, in the given order."""
        ...

    def description(self) -> dict[str, Any]:
        """Everything that decides the output, ready for JSON; part of what a stage compares to resume."""
        ...


def number_by_talk(group: Sequence[SpeakerFrames]) -> list[SpeakerFrames]:
    """The same group with its columns ordered by falling talk over all its recordings.

    Columns without any talk are left out; at least one remains.
    """
    talk = np.sum([one.active.sum(axis=0) for one in group], axis=0)
    order = np.argsort(-talk, kind="stable")
    kept = order[: max(1, int((talk > 0).sum()))]
    return [SpeakerFrames(active=one.active[:, kept], certain=one.certain) for one in group]
