"""Recordings of single people as material for conversations: their phrases, without the noise in their pauses."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from src.core.errors import DatasetError
from src.data.identity_folders import AUDIO_SUFFIXES, scan_identity_folders
from src.media.audio import SAMPLE_RATE_HZ, read_audio
from src.media.frames import FRAME_SAMPLES
from src.simulation.phrases import find_phrases, silence_pauses

_SHORTEST_REST_SECONDS = 1.0  # of an utterance; what is left is not worth a turn


class Voice:
    """What one person has said.

    utterances: recordings with silenced pauses, (samples,) each. beginnings: first sample of each of their phrases.
    """

    def __init__(self, recordings: Sequence[np.ndarray]) -> None:
        found = [(samples, find_phrases(samples)) for samples in recordings]
        self.utterances = [silence_pauses(samples, phrases) for samples, phrases in found if len(phrases)]
        self.beginnings = [phrases[:, 0] * FRAME_SAMPLES for _, phrases in found if len(phrases)]


class Talk:
    """What people say in one conversation: nothing twice, while they have something left.

    voices: by name. stream: decides in which order each person's utterances come.
    """

    def __init__(self, voices: dict[str, Voice], stream: np.random.Generator) -> None:
        self._voices = voices
        self._stream = stream
        self._queues: dict[str, list[int]] = {name: [] for name in voices}
        self._resume_at: dict[str, int | None] = dict.fromkeys(voices)

    def __call__(self, person: str, seconds: float) -> np.ndarray:
        """The next stretch of a person's speech, at most `seconds` long, from the beginning of a phrase."""
        voice, queue, start = self._voices[person], self._queues[person], self._resume_at[person]
        if start is None:
            if not queue:
                queue += self._stream.permutation(len(voice.utterances)).tolist()
            start = int(voice.beginnings[queue[-1]][0])
        utterance, beginnings = voice.utterances[queue[-1]], voice.beginnings[queue[-1]]
        end = min(start + round(seconds * SAMPLE_RATE_HZ), len(utterance))
        later = beginnings[beginnings >= end]
        enough = len(later) and len(utterance) - later[0] >= _SHORTEST_REST_SECONDS * SAMPLE_RATE_HZ
        self._resume_at[person] = int(later[0]) if enough else None
        if not enough:
            queue.pop()
        return utterance[start:end]


def read_voices(folder: Path, names: Collection[str] = ()) -> dict[str, Voice]:
    """The voices of a folder of single-speaker recordings, all or those of `names`.

    folder: ROOT/<person>/…/<recordings>, or loose files whose names begin with the person's up to a hyphen.
    Raises DatasetError when the folder or a named person is missing, or fewer than three people are there.
    """
    found = scan_identity_folders([folder], AUDIO_SUFFIXES, fewest_files=1)
    unknown = set(names) - set(found.names)
    if unknown:
        raise DatasetError(
            f"{folder}: has no speech of {', '.join(sorted(unknown)[:5])}; it has that of {', '.join(found.names[:5])} …"
        )
    voices = {}
    for index, name in enumerate(found.names):
        if not names or name in names:
            files = [found.files[row] for row in np.flatnonzero(found.identities == index)]
            voice = Voice([read_audio(path) for path in files])
            if voice.utterances:
                voices[name] = voice
    if len(voices) < 3:
        raise DatasetError(f"{folder}: conversations need at least 3 people, these are {len(voices)}")
    return voices
