"""The diarizer `pyannote`: pipelines of pyannote.audio, as community-1 and 3.1.

H. Bredin, "pyannote.audio 2.1 speaker diarization pipeline: principle, benchmark, and recipe", Interspeech
2023; A. Plaquet and H. Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization",
Interspeech 2023. A pipeline knows one recording only, so the recordings of a group go through it as one.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch

from preprocessing.pyannote_pipeline import load_pipeline, quiet_pyannote
from preprocessing.speaker_frames import Recordings, SpeakerFrames, number_by_talk
from preprocessing.speech_settings import PyannoteSettings
from src.artifacts.turns import SpeakerTurn
from src.media.audio import SAMPLE_RATE_HZ
from src.media.frames import FRAME_SAMPLES, frame_count, frames_of

PAUSE_SECONDS = 1.0  # of silence between the recordings of a group

Pipeline = Callable[[dict[str, Any]], Any]
"""A waveform {"waveform": (1, samples), "sample_rate": Hz, "uri": name} to an annotation, or to what holds one as
`speaker_diarization`."""


class PyannoteDiarizer:
    """Finds the speakers of each group with a pipeline; several may speak at once."""

    def __init__(self, pipeline: Pipeline, description: dict[str, Any]) -> None:
        self.pipeline = pipeline
        self.pipeline_description = description

    def __call__(self, groups: Sequence[Recordings]) -> list[list[SpeakerFrames]]:
        """The speakers of each group, one group after the other."""
        return [self._group(group) for group in groups]

    def description(self) -> dict[str, Any]:
        """Pipeline, version, checksums."""
        return {"name": "pyannote", **self.pipeline_description, "pause_seconds": PAUSE_SECONDS}

    def _group(self, group: Recordings) -> list[SpeakerFrames]:
        together, starts = join_recordings(group)
        waveform = torch.from_numpy(together)[None]
        with quiet_pyannote():
            output = self.pipeline({"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ, "uri": "recordings"})
        annotation: Any = getattr(output, "speaker_diarization", output)
        turns = [
            SpeakerTurn(segment.start, segment.end, str(speaker))
            for segment, _, speaker in annotation.itertracks(yield_label=True)
        ]
        active = active_frames(turns, frame_count(len(together)))
        return number_by_talk(
            [
                SpeakerFrames(
                    active=active[start : start + frame_count(len(samples))],
                    certain=np.ones(frame_count(len(samples)), bool),
                )
                for start, samples in zip(starts, group, strict=True)
            ]
        )


def load_pyannote_diarizer(settings: PyannoteSettings, device: torch.device) -> PyannoteDiarizer:
    """The diarizer with the pipeline that the settings name. Raises WeightsError that says how to get it."""
    loaded = load_pipeline(settings.pipeline, device)
    return PyannoteDiarizer(loaded.pipeline, loaded.description)


def join_recordings(group: Recordings) -> tuple[np.ndarray, list[int]]:
    """The recordings of a group one after the other, silence between: (samples,), and the frame at which each starts.

    Each starts on a whole frame, so that frames of the whole are frames of the recordings.
    """
    if len(group) == 1:
        return np.ascontiguousarray(group[0], np.float32), [0]
    lengths = [frame_count(len(samples)) + frames_of(PAUSE_SECONDS) for samples in group]
    starts = [0, *accumulate(lengths[:-1])]
    together = np.zeros(sum(lengths) * FRAME_SAMPLES, np.float32)
    for start, samples in zip(starts, group, strict=True):
        together[start * FRAME_SAMPLES : start * FRAME_SAMPLES + len(samples)] = samples
    return together, starts


def active_frames(turns: Iterable[SpeakerTurn], frames: int) -> np.ndarray:
    """Turns to the frames in which each speaker speaks: (frames, speakers) bool; one silent column where there is none."""
    turns = list(turns)
    names = sorted({turn.speaker for turn in turns})
    active = np.zeros((frames, max(1, len(names))), bool)
    for turn in turns:
        first, last = max(0, frames_of(turn.start_seconds)), max(0, frames_of(turn.end_seconds))
        active[first:last, names.index(turn.speaker)] = True
    return active
