"""Speech of many identities in memory, from which random crops are drawn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.data.identity_folders import IdentityFolders, decode_files
from src.media.guarded import read_audio

FULL_SCALE = 32767.0


class SpeechCorpus:
    """Utterances of a set of identities, kept as 16-bit samples at 16 kHz.

    utterances: int16 arrays. identities: (utterances,) index of the identity of each.
    """

    def __init__(self, utterances: Sequence[np.ndarray], identities: np.ndarray) -> None:
        assert len(utterances) == len(identities)
        self.utterances = list(utterances)
        self.identities = np.asarray(identities)

    @classmethod
    def load(cls, folders: IdentityFolders) -> "SpeechCorpus":
        """Decode all files. Files that cannot be decoded are left out and counted in a log line.

        Raises DatasetError when none can be decoded.
        """
        utterances, identities = decode_files(folders, read_utterance, "reading speech")
        return cls(utterances, identities)

    @property
    def seconds(self) -> float:
        """Total duration."""
        return sum(map(len, self.utterances)) / 16_000

    def of_identities(self, mask: np.ndarray) -> "SpeechCorpus":
        """The utterances of the identities whose entry of `mask` (identities,) is true; indices stay."""
        rows = np.flatnonzero(mask[self.identities])
        return SpeechCorpus([self.utterances[row] for row in rows], self.identities[rows])

    def crops(
        self, rows: Sequence[int] | np.ndarray, samples: int, stream: np.random.Generator
    ) -> np.ndarray:
        """A random crop of each utterance in `rows`: float32 (rows, samples), full scale = 1.

        An utterance that is shorter is repeated until it is long enough.
        """
        result = np.empty((len(rows), samples), dtype=np.float32)
        for place, row in enumerate(rows):
            utterance = self.utterances[row]
            if len(utterance) < samples:
                utterance = np.tile(utterance, -(-samples // len(utterance)))
            start = int(stream.integers(len(utterance) - samples + 1))
            result[place] = utterance[start : start + samples]
        result /= FULL_SCALE
        return result


def read_utterance(path: Path) -> np.ndarray:
    """The samples of a recording at 16 kHz, int16. Raises MediaError."""
    return np.round(np.clip(read_audio(path), -1, 1) * FULL_SCALE).astype(np.int16)
