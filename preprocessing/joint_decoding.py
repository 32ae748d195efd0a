"""Who speaks in each frame, from the network's answers to the prompts of all speakers together.

Prompted with a speaker, the keynote network answers two questions about each frame: does this speaker speak, and does anybody
else? If a certain set of people speaks, the right answers to every prompt are known; the set under which the answers given are
likeliest has the frame. What the prompt of one speaker says about the others so counts for these too, and finds overlap
that the second speaker's own prompt alone is too unsure of.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import uniform_filter1d

from preprocessing.speaker_frames import SpeakerFrames
from preprocessing.speech_settings import ResegmentationSettings
from src.media.frames import frames_of

_FRAMES_AT_ONCE = 1 << 16
_SUREST = 1e-4  # no answer is taken for surer than this


def decide(heard: np.ndarray, marks: np.ndarray, settings: ResegmentationSettings) -> SpeakerFrames:
    """Nobody, one or two of the speakers for each frame of a recording.

    heard: whether voice activity hears somebody (frames,). marks: probabilities that each speaker speaks and that anybody
    else does (speakers, frames, 2).
    """
    active = np.zeros((len(heard), len(marks)), bool)
    certain = np.ones(len(heard), bool)
    for first in range(0, len(heard), _FRAMES_AT_ONCE):
        stretch = slice(first, first + _FRAMES_AT_ONCE)
        answers = marks[:, stretch].swapaxes(0, 1).astype(np.float32)
        sets = _compare_sets(answers, heard[stretch], settings)
        active[stretch] = sets.chosen()
        certain[stretch] = sets.certain(settings.certain_margin)
    return SpeakerFrames(active=active, certain=certain)


@dataclass(frozen=True)
class _Sets:
    """Log likelihoods of the sets of people who may speak in a frame.

    nobody: (frames,). alone: (frames, speakers). pair: of the likeliest two together (frames,).
    order: speakers, the likeliest member of a pair first: (frames, speakers).
    """

    nobody: np.ndarray
    alone: np.ndarray
    pair: np.ndarray
    order: np.ndarray

    @cached_property
    def sizes(self) -> np.ndarray:
        """How many people speak in the likeliest set: (frames,)."""
        return np.asarray(np.argmax([self.nobody, self.alone.max(axis=1), self.pair], axis=0))

    def chosen(self) -> np.ndarray:
        """The speakers of the likeliest set: (frames, speakers) bool."""
        active = np.zeros(self.alone.shape, bool)
        one, two = (np.flatnonzero(self.sizes == size) for size in (1, 2))
        active[one, self.alone[one].argmax(axis=1)] = True
        active[two[:, None], self.order[two, :2]] = True
        return active

    def certain(self, margin: float) -> np.ndarray:
        """False where one speaks and is not likelier, by the margin, than nobody and anyone else: (frames,) bool.

        That somebody may speak along is no doubt about who this speaker is.
        """
        rivals = np.column_stack([self.alone, self.nobody])
        second, first = np.partition(rivals, -2, axis=1)[:, -2:].T
        return np.asarray((first - second >= margin) | (self.sizes != 1))


def _compare_sets(answers: np.ndarray, heard: np.ndarray, settings: ResegmentationSettings) -> _Sets:
    """answers: probabilities (frames, speakers, 2). heard: whether voice activity hears somebody, (frames,)."""
    sure = np.clip(answers, _SUREST, 1 - _SUREST)
    width = frames_of(settings.smoothing_seconds)
    yes, no = (uniform_filter1d(np.log(one), width, axis=0, mode="nearest") for one in (sure, 1 - sure))
    silent = no[..., 0] + no[..., 1]
    listening = no[..., 0] + yes[..., 1]
    speaking_alone = yes[..., 0] + no[..., 1]
    speaking_along = yes[..., 0] + yes[..., 1]
    all_listening = listening.sum(axis=1)
    order = np.argsort(listening - speaking_along, axis=1, kind="stable")
    gains = np.take_along_axis(speaking_along - listening, order[:, :2], axis=1)
    return _Sets(
        nobody=silent.sum(axis=1) + np.where(heard, -1, 1) * settings.activity_log_odds,
        alone=all_listening[:, None] + speaking_alone - listening,
        pair=all_listening + gains.sum(axis=1) if answers.shape[1] > 1 else np.full(len(answers), -np.inf),
        order=order,
    )
